"""Tests of tcpsnoop.dissect."""
