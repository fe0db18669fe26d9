"""Opening what packets come from."""

from __future__ import annotations

from functools import partial

from tcpsnoop.engine.crew import helpers
from tcpsnoop.engine.settings import Settings
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import PacketSource
from tcpsnoop.sources.bpf import compile_filter
from tcpsnoop.sources.savefile import open_savefile

_ETHERNET = 1


def open_source(settings: Settings) -> PacketSource:
    """The interface or the files of this run; UsageError when one of them cannot be opened."""
    # What the run does not need is not imported: starting takes long enough.
    if settings.live:
        from tcpsnoop.sources.live import LiveSource

        return LiveSource(
            settings.interface,
            snaplen=settings.snaplen,
            buffer_kib=settings.buffer_kib,
            promiscuous=settings.promiscuous,
            filter_text=settings.filter,
        )
    if settings.filter:
        # A wrong expression is wrong before anything is read; other link types are met later.
        compile_filter(settings.filter, _ETHERNET)
    if "-" in settings.files and settings.several_files:
        raise UsageError("-r -: standard input is read alone, without other files")
    if not settings.several_files:
        return open_savefile(settings.files[0], ahead=helpers() > 0)
    from tcpsnoop.sources.merge import CAPACITY, PACKETS_PER_BATCH, MergedSource

    return MergedSource(
        [
            partial(
                open_savefile,
                name,
                file=number,
                capacity=CAPACITY,
                batch_size=PACKETS_PER_BATCH,
                ahead=helpers() > 0,
            )
            for number, name in enumerate(settings.files)
        ]
    )
