"""Tests of the mergeable blocks, against counting one by one."""
