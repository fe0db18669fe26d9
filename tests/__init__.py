"""Tests, in a tree that mirrors the package: dissect/test_ip.py for tcpsnoop/dissect/ip.py."""
