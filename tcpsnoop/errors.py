"""The errors a user can meet, divided by what they leave: nothing, or an incomplete result."""


class TcpsnoopError(Exception):
    """Base of all errors that are told to the user in one line, without a traceback."""

    exit_code = 1


class UsageError(TcpsnoopError):
    """Nothing was started: bad option or filter, no such file or interface, no permission."""

    exit_code = 2


class CaptureError(TcpsnoopError):
    """Something is missing from the result: input damaged, interface gone, output not whole."""

    exit_code = 1
