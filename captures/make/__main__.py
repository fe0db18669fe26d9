"""`python -m captures.make [NAME…]`: make all captures anew, or those named.

With no names README.md's table and MANIFEST.json are written too.
"""

from __future__ import annotations

import sys

from captures.make.catalogue import HOME, all_captures, manifest, with_table


def main(names: list[str]) -> int:
    """Write the named captures (none named: everything) beside their README; the exit status."""
    made = all_captures()
    unknown = [name for name in names if name not in made]
    if unknown:
        known = ", ".join(made)
        sys.stderr.write(f"no such capture: {', '.join(unknown)}; there are: {known}\n")
        return 2
    for name in names or made:
        (HOME / name).write_bytes(made[name][1].content)
    if not names:
        readme = HOME / "README.md"
        text = with_table(readme.read_text(encoding="utf-8"), made)
        readme.write_text(text, encoding="utf-8")
        (HOME / "MANIFEST.json").write_text(manifest(made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
