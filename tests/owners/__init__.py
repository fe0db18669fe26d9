"""Tests of owners, and the stored /proc trees they look into."""
