"""Tests of captures/: that they are what their generators and MANIFEST.json say."""
