"""Strings that come from packets, processes and names, made safe for where they go.

No control character passes, so none reaches a terminal raw, and a row is always one line. A lone
surrogate, which is how Python holds a byte that is no UTF-8, cannot be encoded and never passes.
"""

from __future__ import annotations

import json
import re

# C0, DEL and C1 (ECMA-48: U+009B begins an escape sequence just as ESC does), lone surrogates.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# json.dumps has escaped C0; U+2028 and U+2029 end a line for some readers of JSON lines.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_QUOTED_IN_CSV = re.compile('[",]')


def terminal_text(text: str) -> str:
    r"""The text with all that is not printable as escapes of Python: `\x1b`, `\u202e`.

    Printable is what `str.isprintable` says, so direction overrides are shown as well.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def json_text(text: str) -> str:
    """The text as a JSON string (RFC 8259), in UTF-8 where that is safe, else escaped."""
    return _UNSAFE_IN_JSON.sub(_json_escape, json.dumps(text, ensure_ascii=False))


def json_value(value: object) -> str:
    """Any value JSON can say, compact; ValueError for NaN and infinities."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE_IN_JSON.sub(_json_escape, text)


def csv_text(text: str) -> str:
    r"""The text as a CSV field, quoted where RFC 4180 asks for it, control characters as `\x1b`.

    RFC 4180 would let line breaks through in quotes; a name could forge rows with them. The empty
    text is quoted, which tells it from an unknown one.
    """
    escaped = _CONTROL.sub(lambda found: _escaped(found[0]), text)
    if escaped and not _QUOTED_IN_CSV.search(escaped):
        return escaped
    return '"' + escaped.replace('"', '""') + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: a byte that is no UTF-8
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
