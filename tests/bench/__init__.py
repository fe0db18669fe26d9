"""Tests of the benchmarks: their captures, their arithmetic, their page."""
