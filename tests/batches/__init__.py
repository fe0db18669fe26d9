"""Tests of the nouns that flow."""
