"""tcpsnoop as it would be if it named no processes: `python -m bench.unnamed REPORT …`.

What it uses is what capturing and reporting cost, so the rest of tcpsnoop's is for the names.
"""

from __future__ import annotations

import sys
from unittest.mock import patch

from tcpsnoop.cli.main import main
from tcpsnoop.engine.settings import Settings

if __name__ == "__main__":
    with patch.object(Settings, "names_processes", False):
        sys.exit(main())
