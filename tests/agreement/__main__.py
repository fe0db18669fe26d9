"""`python -m tests.agreement`: write docs/agreement.md anew; needs the corpus and the programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.agreement.comparing import compare_captures, compare_corpus
from tests.agreement.page import PAGE, refreshed
from tests.conftest import ROOT

if __name__ == "__main__":
    named = os.environ.get("TCPSNOOP_CORPUS")
    corpus = compare_corpus(Path(named) if named else ROOT.parent / "shared" / "corpus")
    own = compare_captures(ROOT / "captures")
    sys.stderr.writelines(f"{line}\n" for line in (*corpus.wrong, *own.wrong))
    PAGE.write_text(refreshed(PAGE.read_text("utf-8"), corpus, own), "utf-8")
