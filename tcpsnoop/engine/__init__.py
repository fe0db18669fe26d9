"""Joins the stages. Read `run.py` first.

`settings` is what the user chose; `intake` reads, filters and dissects, `reader` does so in a
second thread; `outlet` is one report with its renderer; `output` is where the bytes go; `tally` and
`notes` count and tell what was read; `replay` runs one reporter over frames or a file, for tests.
"""
