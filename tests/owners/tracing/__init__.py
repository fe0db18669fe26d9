"""Tests of owners by the kernel's tracepoints."""
