"""Tests of the provider: connections and probes, from segments written by hand."""
