"""Tests of sock_diag."""
