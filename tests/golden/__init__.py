"""What the program prints for captures of this project: REPORTER/CAPTURE[.OPTIONS].FORMAT.

A difference is a change of what users see: `make golden` writes the files anew, and their diff is
read like code.
"""
