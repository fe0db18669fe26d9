"""One run, and its parts."""
