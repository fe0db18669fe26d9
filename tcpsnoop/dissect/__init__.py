"""Frames → TCP segments in columns, and a verdict for every packet; read dissector.py first."""

from tcpsnoop.dissect.dissector import Dissector

__all__ = ["Dissector"]
