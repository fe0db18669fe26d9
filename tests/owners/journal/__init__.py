"""Tests of the journal of owners."""
