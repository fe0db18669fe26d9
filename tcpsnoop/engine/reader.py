"""Reading ahead: packets are read and dissected while others are tracked and reported.

Kernels release the GIL, so all run at once. Each batch of segments lies in the room of its own
dissector, which is free again when the batch has been used.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from tcpsnoop.engine.crew import Crew
from tcpsnoop.engine.intake import Intake, Intaken

# One being filled, one being used, one between them.
DISSECTORS = 3
# How long one look at the source may last: who waits for the end of reading waits so long.
STEP_SECONDS = 0.1


class Reader(Protocol):
    """Gives batches one after the other."""

    def next(self, timeout: float) -> Intaken | None:
        """The next batch, None when none came in time; raises what reading raised."""

    def done_with(self, batch: Intaken) -> None:
        """The batch's memory may be used again."""

    @property
    def ended(self) -> bool:
        """Nothing more will come."""

    @property
    def clipped(self) -> int:
        """Packets whose IP header declares more than their frame had."""

    def close(self) -> None:
        """Stop reading."""


class DirectReader:
    """Reads when it is asked: for live capture, and where frames are needed."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._dissector = intake.make_dissector()

    def next(self, timeout: float) -> Intaken | None:
        """See Reader."""
        return self._intake.step(self._dissector, timeout)

    def done_with(self, batch: Intaken) -> None:
        """See Reader."""

    @property
    def ended(self) -> bool:
        """See Reader."""
        return self._intake.ended

    @property
    def clipped(self) -> int:
        """See Reader."""
        return self._dissector.clipped

    def close(self) -> None:
        """See Reader."""


class AheadReader:
    """Reads ahead, as a task of a crew: batches wait here until they are asked for."""

    def __init__(self, intake: Intake, crew: Crew) -> None:
        self._intake, self._crew = intake, crew
        self._dissectors = [intake.make_dissector() for _ in range(DISSECTORS)]
        self._free = deque(self._dissectors)
        self._ready: deque[Intaken] = deque()
        self._error: BaseException | None = None
        self._over = False
        crew.take_on(self)

    @property
    def can_step(self) -> bool:
        """See Task: there is room for a batch."""
        return bool(self._free) and not self._over

    def step(self) -> None:
        """See Task."""
        try:
            batch = self._intake.step(self._free[0], STEP_SECONDS)
            if batch is not None:
                self._free.popleft()
                self._ready.append(batch)
            if self._intake.ended:
                self._over = True
        except BaseException as error:  # its turn comes behind what was read
            self._error, self._over = error, True

    def next(self, timeout: float) -> Intaken | None:
        """See Reader."""
        if not self._crew.wait(lambda: bool(self._ready) or self._over, timeout):
            return None
        if self._ready:
            return self._ready.popleft()
        error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def done_with(self, batch: Intaken) -> None:
        """See Reader."""
        self._free.append(batch.dissector)
        self._crew.tell()

    @property
    def ended(self) -> bool:
        """See Reader."""
        return self._over and not self._ready and self._error is None

    @property
    def clipped(self) -> int:
        """See Reader."""
        return sum(dissector.clipped for dissector in self._dissectors)

    def close(self) -> None:
        """See Reader."""
        self._over = True
        self._crew.let_go(self)


def make_reader(intake: Intake, crew: Crew | None) -> Reader:
    """A reader, which reads ahead if there is somebody who does that."""
    return DirectReader(intake) if crew is None else AheadReader(intake, crew)
