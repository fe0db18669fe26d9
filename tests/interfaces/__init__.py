"""Tests of what plug-ins share."""
