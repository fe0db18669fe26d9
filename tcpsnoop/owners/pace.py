"""When owners are looked for: new ones at once, known ones from time to time, within budgets.

One call takes at most some 0.1 s: the capture waits for it, and its buffer lasts longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcpsnoop.owners.budget import TimeBudget
from tcpsnoop.owners.descriptors import Descriptors
from tcpsnoop.owners.diag.access import Hearing
from tcpsnoop.owners.earlier import Earlier
from tcpsnoop.owners.ends import End
from tcpsnoop.owners.look import Look
from tcpsnoop.owners.namespaces import Namespaces
from tcpsnoop.owners.search import Search

REFRESH_SECONDS = 0.2
# Sockets are only asked for again where we do not hear when they end, and for connections whose
# beginning was not captured.
ASK_AGAIN_SECONDS = 1.0
# When so many sockets end that we cannot hear of all, we do not listen for a while.
AFTER_FLOOD_SECONDS = 2.0
# Of the time that passes, the share for new connections and the share for refreshing what is
# known; and what may be saved up, so how long one call may hold up the capture: its buffer lasts
# longer. A look begins when there is enough left to get somewhere.
LOOKING_SHARE, LOOKING_BURST, LOOKING_LEAST = 0.20, 0.1, 0.01
LEAST_SCAN_SECONDS = 0.02
REFRESH_SHARE, REFRESH_BURST, REFRESH_LEAST = 0.05, 0.05, 0.04
# While no packets come that it would matter to: a smaller share, and so much later.
IDLE_SHARE, IDLE_SECONDS = 0.001, 20.0


class Pace:
    """Lets a search look, its answers be refreshed, and hears which sockets end.

    `endings` tells that, if anything does. `worked` gives the processor time of this thread.
    """

    def __init__(
        self,
        search: Search,
        descriptors: Descriptors,
        namespaces: Namespaces,
        earlier: Earlier,
        endings: Hearing | None,
        clock: Callable[[], float],
        worked: Callable[[], float],
    ) -> None:
        self._search = search
        self._descriptors = descriptors
        self._namespaces = namespaces
        self._earlier = earlier
        self._earlier.hears_all = endings is not None
        self._endings = endings
        self._clock = clock
        self._looking = TimeBudget(LOOKING_SHARE, LOOKING_BURST, LOOKING_LEAST, clock, worked)
        self._refreshing = TimeBudget(REFRESH_SHARE, REFRESH_BURST, REFRESH_LEAST, clock, worked)
        self._idle = TimeBudget(IDLE_SHARE, REFRESH_BURST, REFRESH_LEAST, clock, worked)
        self._hear_at = self._look_at = self._refresh_at = self._ask_again_at = 0.0
        self._refresh_since = 0
        self._rows_since = False  # the holders were refreshed
        self._words_lost = False  # of sockets that ended

    def poll(self) -> None:
        """Do what is due while no packets come."""
        if self._clock() >= self._hear_at:
            self.hear()
        self.look()
        self._refresh()

    def hurry(self) -> None:
        """Packets have told something new: the next look is due."""
        self._look_at = self._clock()

    def keep_up(self) -> bool:
        """Packets of known connections have come; whether anything was refreshed."""
        self._rows_since = True
        return self._refresh()

    def look(self) -> bool:
        """Look for what is due, if there is time; whether it was done."""
        search, now = self._search, self._clock()
        due = search.due(now) if search.looking and now >= self._look_at else []
        if not (due or search.waiting or search.doubted):
            return False
        deadline = self._looking.begin()
        if deadline is None:
            return False
        self.hear()
        if not search.follows:
            self._ask_again_at = now + REFRESH_SECONDS
        self._ask_sockets(due)
        # Asking for many must not leave the processes without their turn, look after look.
        search.scan(max(deadline, self._clock() + LEAST_SCAN_SECONDS))
        self.hear()
        search.settle()
        self._look_at = min((end.retry_at for end in search.looking.values()), default=0.0)
        if self._descriptors.covers(self._refresh_since):
            self._refreshed()
        self._looking.end()
        return True

    def hear(self) -> None:
        """Take in which sockets have ended."""
        self._hear_at = self._clock() + REFRESH_SECONDS
        if self._endings is None:
            return
        if not self._search.listens:
            self._endings.close()
        else:
            gone, lost = self._endings.take()
            self._search.hear(gone)
            if lost:
                self._words_lost = True
                self._earlier.hears_all = False
                self._hear_at += AFTER_FLOOD_SECONDS

    def _refresh(self) -> bool:
        """Bring what is known up to date, if it is time; whether that was done.

        The holders by a whole scan, which may take several calls, and the sockets of whose endings
        we do not hear.
        """
        now = self._clock()
        follows = self._search.follows
        if not (follows or self._earlier):
            return False
        busy = follows and self._rows_since
        again = busy and now >= self._ask_again_at
        scan = now >= self._refresh_at + (0 if busy else IDLE_SECONDS)
        if not (scan or again):
            return False
        budget = self._refreshing if busy else self._idle
        deadline = budget.begin()
        if deadline is None:
            return False
        if again:
            self._ask_again_at = now + ASK_AGAIN_SECONDS
            self._search.doubt(heard=self._endings is not None and not self._words_lost)
            self._words_lost = False
            self._ask_sockets([])
        if scan and self._descriptors.scan(self._refresh_since, deadline):
            self._refreshed()
        budget.end()
        return True

    def _refreshed(self) -> None:
        """A whole scan was done since the last time."""
        self._refresh_since = self._descriptors.tick
        self._refresh_at = self._clock() + REFRESH_SECONDS
        self._rows_since = False
        self._search.follow_holders()

    def _ask_sockets(self, due: Sequence[End]) -> None:
        """Ask for the sockets of ends that are due, and of those in doubt."""
        if due or self._search.doubted:
            with Look(self._namespaces) as look:
                self._search.ask_sockets(due, look, self._clock())
                self._search.dispel(look, self._clock())
