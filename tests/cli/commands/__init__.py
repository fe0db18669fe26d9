"""Subcommands that are no reports."""
