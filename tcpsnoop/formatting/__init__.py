"""Values as bytes: one row program, run by one kernel, for every format that writes rows.

- `row_program`: literals and fields, compiled to operations and run over a table's values
- `fields`: what a field of a row is, and the style of a format
- `texts`: strings made safe for a terminal, JSON and CSV; `times`: RFC 3339, local time of day
- `columns`, `pools`: values as the kernel takes them, int64 and encoded text
- `operations`, `rows_kernel`, `cells`, `words`: the kernel, from the outside in
"""

from tcpsnoop.formatting.fields import Field, Style, TimeForm
from tcpsnoop.formatting.row_program import RowProgram
from tcpsnoop.formatting.texts import csv_text, json_text, json_value, terminal_text
from tcpsnoop.formatting.times import rfc3339

__all__ = [
    "Field",
    "RowProgram",
    "Style",
    "TimeForm",
    "csv_text",
    "json_text",
    "json_value",
    "rfc3339",
    "terminal_text",
]
