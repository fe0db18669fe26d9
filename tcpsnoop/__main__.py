"""`python -m tcpsnoop`."""

from tcpsnoop.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
