"""The record of attribution in a file: written while packets are captured, replayed beside them.

The format is that of docs/formats.md.
"""
