"""One file, one reporter, one subcommand; nothing else is here."""
