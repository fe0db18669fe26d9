"""Subcommands that are no reports, a file each: `run(words, print_line)` gives the exit status."""
