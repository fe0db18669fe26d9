"""Tests of the reporters: the rows they make, and their layouts as the specification has them."""
