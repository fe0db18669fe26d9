"""Small captures for tests and documentation; README.md says what each shows."""
