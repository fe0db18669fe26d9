"""Arguments, printing, exit codes: the only code that knows there is a command line."""
