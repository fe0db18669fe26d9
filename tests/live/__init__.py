"""The real program on real interfaces, beside tcpdump and processes that tell the truth."""
