"""Whose socket is it, by the kernel's tracepoints: events, their join, and answers by time."""
