"""One file, one format: bytes of logs and reports."""
