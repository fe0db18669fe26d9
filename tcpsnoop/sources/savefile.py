"""Packets from a capture file, a pipe or standard input."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from tcpsnoop.batches.packets import CaptureInterface, PacketBatch, first_packets
from tcpsnoop.errors import UsageError
from tcpsnoop.interfaces.source import Drops
from tcpsnoop.sources.columns import PACKETS_PER_BATCH, empty_columns
from tcpsnoop.sources.content import ContentStream
from tcpsnoop.sources.formats import (
    LONGEST_HEADER,
    Records,
    is_undecided,
    recognise,
    refusal,
)
from tcpsnoop.sources.hopping import (
    COUNT,
    DROPPED,
    JUMPS,
    LENGTH,
    MORE,
    OUT_OF_RANGE,
    POSITION,
    RAISED,
    REASONS,
    new_progress,
)
from tcpsnoop.sources.read_buffer import CAPACITY, ReadBuffer
from tcpsnoop.sources.reading_ahead import AheadBuffer
from tcpsnoop.sources.recorded import Recorded
from tcpsnoop.sources.stream import Stream, display_name, open_descriptor

_ANOMALIES = {
    RAISED: "{} packets say that more was captured than was on the wire: taken as captured",
    JUMPS: "time jumps by more than a day: {} times",
    OUT_OF_RANGE: "times after 2116 or before 1823, taken as 2116: {}",
    DROPPED: "{} packets were dropped while it was captured",
}

# So many packets are read at once, as far as the buffer has room. Of many more, what is made of
# them would not be in the cache any more when the next stage comes; of fewer, it would be felt that
# every stage begins by fetching its own memory, and what Python spends on a batch. And so many
# bytes at least, whatever the packets were until now.
PACKETS_READ = 24 * 1024
LEAST_READ = 256 * 1024

# Of a file that is damaged in many places the first ones are told one by one.
_TOLD = 3

# A file that is damaged more often is read no further: each time costs much more than a packet.
MOST_RESUMPTIONS = 1000


class SavefileSource:
    """A PacketSource of one input.

    UsageError when it is no capture: a file says so when it is opened, a pipe at a `read`.
    """

    live = False

    def __init__(
        self,
        stream: Stream,
        name: str,
        file: int = 0,
        *,
        capacity: int = CAPACITY,
        batch_size: int = PACKETS_PER_BATCH,
        ahead: bool = False,
    ) -> None:
        self.ended = False
        self.damage: str | None = None
        self._stream = ContentStream(stream)
        self._name = name
        self._recorded = Recorded(file)
        buffer = AheadBuffer if ahead and self.waits else ReadBuffer
        self._buffer = buffer(self._stream, capacity)
        self._enough = LEAST_READ  # bytes of the next read
        self._columns = empty_columns(self._buffer.data, batch_size)
        self._progress = new_progress()
        self._records: Records | None = None
        self._wants_bytes = False
        self._seeking = False
        self._faults: list[str] = []
        if not self.waits:
            self._begin(0.0)

    @property
    def waits(self) -> bool:
        """See PacketSource."""
        return self._stream.waits

    @property
    def interfaces(self) -> Sequence[CaptureInterface]:
        """See PacketSource."""
        return self._recorded.interfaces

    @property
    def hosts(self) -> Mapping[tuple[int, int], str]:
        """See PacketSource."""
        return self._recorded.hosts

    @property
    def anomalies(self) -> Sequence[str]:
        """See PacketSource."""
        counts = ((text, int(self._progress[index])) for index, text in _ANOMALIES.items())
        return [f"{self._name}: {text.format(count)}" for text, count in counts if count > 0]

    def read(self, timeout: float) -> PacketBatch | None:
        """See PacketSource."""
        deadline = time.monotonic() + timeout
        batch = None
        while batch is None and not self.ended:
            if self._records is None:
                if not self._begin(deadline):
                    break
            elif self._wants_bytes and not self._fill(deadline):
                break
            elif self._seeking:
                self._seek(self._records)
            else:
                batch = self._hop(self._records)
        return batch

    def drops(self) -> Drops | None:
        """See PacketSource: a file does not tell."""
        return None

    def close(self) -> None:
        """See PacketSource."""
        self.ended = True
        self._buffer.release()  # first, as a thread may be reading
        self._stream.close()
        self._columns = empty_columns(self._buffer.data, 0)

    def _begin(self, deadline: float) -> bool:
        """Recognise the format by its first bytes; False when they have not come yet."""
        while True:
            begun = self._buffer.unread(LONGEST_HEADER)
            form = recognise(begun)
            if form is not None and len(begun) >= form.header_bytes:
                header = begun[: form.header_bytes]
                self._records = form.records(header, self._name, self._recorded)
                self._buffer.position += self._records.begins_at
                return True
            if self._buffer.exhausted or (form is None and not is_undecided(begun)):
                if form is None:
                    raise UsageError(f"{self._name} {refusal(begun, self._stream.fault)}")
                self._finish()
                return False
            if not self._fill(deadline):
                return False

    def _fill(self, deadline: float) -> bool:
        timeout = max(0.0, deadline - time.monotonic())
        return self._buffer.fill(timeout, self._enough)

    def _hop(self, records: Records) -> PacketBatch | None:
        """The whole records in the buffer, as far as the columns have room; None without any."""
        buffer, progress = self._buffer, self._progress
        begun = buffer.position
        progress[POSITION], progress[COUNT] = begun, 0
        columns = self._columns._replace(data=buffer.data)
        outcome = records.hop(buffer, columns, progress)
        buffer.position = int(progress[POSITION])
        self._wants_bytes = outcome == MORE
        if outcome in REASONS:
            reason = REASONS[outcome].format(length=progress[LENGTH])
            self._faults.append(f"is damaged at {self._place(buffer.offset)}: {reason}")
            if records.resume is None:
                self._end()
            else:
                self._seeking = True
                buffer.position += 1
        elif self._wants_bytes and buffer.exhausted:
            self._finish()
        count = int(progress[COUNT])
        if count == 0:
            return None
        self._enough = max(LEAST_READ, PACKETS_READ * (buffer.position - begun) // count)
        return first_packets(columns, count)

    def _seek(self, records: Records) -> None:
        """Look for where reading can go on after damage."""
        if self._resume(records):
            self._seeking = self._wants_bytes = False
        elif self._buffer.exhausted:
            self._finish()
        else:
            self._wants_bytes = True

    def _resume(self, records: Records) -> bool:
        """Move to where reading can go on, and say so; False when that is not in the buffer."""
        if records.resume is None or len(self._faults) > MOST_RESUMPTIONS:
            return False
        found = records.resume(self._buffer)
        if found:
            where = self._place(self._buffer.offset)
            self._faults[-1] += f"; read on from the section that begins at {where}"
        return found

    def _reaches_too_far(self, records: Records) -> bool:
        """Whether the record that the bytes end in only claims them: a section begins in it."""
        buffer, begun = self._buffer, self._buffer.position
        self._faults.append(
            f"is damaged at {self._place(buffer.offset)}: it reaches into what follows"
        )
        buffer.position += 1
        if self._resume(records):
            return True
        buffer.position = begun
        self._faults.pop()
        return False

    def _finish(self) -> None:
        """End where the bytes end."""
        buffer = self._buffer
        end = self._place(buffer.base + buffer.end)
        cut = buffer.position < buffer.end and not self._seeking
        if cut and self._records is not None and self._reaches_too_far(self._records):
            self._wants_bytes = False
            return
        if self._stream.fault is not None:
            self._faults.append(f"is cut off at {end}: {self._stream.fault}")
        elif cut:
            begun = f"the record that begins at byte {buffer.offset}"
            within = "its file header" if self._records is None else begun
            self._faults.append(f"is cut off at {end}, within {within}")
        self._end()

    def _end(self) -> None:
        """Say what was wrong with the whole of it."""
        self.ended = True
        told = [f"{self._name} {fault}" for fault in self._faults[:_TOLD]]
        if len(self._faults) > _TOLD:
            told.append(f"and in {len(self._faults) - _TOLD} more places")
        self.damage = "; ".join(told) or None

    def _place(self, offset: int) -> str:
        compression = self._stream.compression
        return f"byte {offset}{f' of the {compression} content' if compression else ''}"


def open_savefile(
    name: str,
    standard_input: int = 0,
    *,
    file: int = 0,
    capacity: int = CAPACITY,
    batch_size: int = PACKETS_PER_BATCH,
    ahead: bool = False,
) -> SavefileSource:
    """The source of a path, or of the descriptor `standard_input` for `-`.

    UsageError when it cannot be read or is no capture. `file` is its index among several inputs.
    """
    stream = open_descriptor(name, standard_input)
    try:
        return SavefileSource(
            stream, display_name(name), file, capacity=capacity, batch_size=batch_size, ahead=ahead
        )
    except UsageError:
        stream.close()
        raise
