"""processes.pcap and processes.owners: a server's connections, and the journal of whose they are.

    local port  peer                  whose
    443         198.51.100.20:50001   nginx worker 812; master 811 and worker 813 listen, too
    40112       203.0.113.5:5432      python3 2990, in a container
    40114       203.0.113.80:80       curl 4107, which sh 4105 began; it lives for 9 ms
    22          198.51.100.7:51022    sshd 1120; open since before
    39980       203.0.113.60:6667     bash 1600 and sleep 1601 share it; open since before
    23          198.51.100.99:40000   nobody: the kernel refuses

What the kernel tells comes some microseconds before or after the packet that it is about: before
the SYN of who calls, after the segment that makes a connection established, after a call's data.
"""

from __future__ import annotations

from captures.make.capture import Capture, Packet, Truth, accepted, by_time, connected, pcap
from captures.make.conversation import START_NS, STEP_US, Conversation, End
from captures.make.frames import ACK, FIN, PUSH, RST, SYN, Endpoint
from captures.make.journal import (
    BELIEVED,
    CLOSE,
    CLOSE_WAIT,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    LISTEN,
    SYN_RECV,
    SYN_SENT,
    Journal,
    Process,
    Told,
)
from captures.make.sessions import THE_ONE_ADDRESS

HOST = "192.0.2.10"
BEGAN_NS = START_NS - 500_000_000
BOOT_NS = START_NS - 3_600_000_000_000  # an hour before
OVER_NS = START_NS + 6_000_000_000
NAMESPACE = 4026531840
CRON = "/system.slice/cron.service"
CRON_NUMBER = 2117
CONTAINER = "3f9a" * 16

ROOT, WEB, ADA = (0, "root"), (33, "www-data"), (1000, "ada")
NGINX = "/system.slice/nginx.service"
SESSION = "/user.slice/user-1000.slice/session-3.scope"
SYSTEMD = Process(
    1, "systemd", "/sbin/init", "/usr/lib/systemd/systemd", ROOT, (0, ""), "/init.scope", 2
)
MASTER = Process(
    811, "nginx", "nginx: master process", "/usr/sbin/nginx", ROOT, (1, "systemd"), NGINX, 800
)
WORKERS = tuple(
    Process(
        pid, "nginx", "nginx: worker process", "/usr/sbin/nginx", WEB, (811, "nginx"), NGINX, 805
    )
    for pid in (812, 813)
)
SSHD = Process(
    1120, "sshd", "sshd: ada@pts/0", "/usr/sbin/sshd", ROOT, (640, "sshd"), SESSION, 90_000
)
BASH = Process(1600, "bash", "bash", "/usr/bin/bash", ADA, (1120, "sshd"), SESSION, 91_000)
SLEEP = Process(1601, "sleep", "sleep 3600", "/usr/bin/sleep", ADA, (1600, "bash"), SESSION, 91_500)
API = Process(
    2990, "python3", "python3 -m api --workers 1", "/usr/bin/python3.11", ADA,
    (2969, "containerd-shim"), f"/system.slice/docker-{CONTAINER}.scope", 120_000,
)  # fmt: skip
SH = Process(
    4105, "sh", "/bin/sh /etc/cron.hourly/report", "/usr/bin/dash", ROOT, (702, "cron"), CRON,
    360_010,
)  # fmt: skip
CURL = 4107
THERE = (SYSTEMD, MASTER, *WORKERS, SSHD, BASH, SLEEP, API, SH)

REQUEST, PAGE = b"q" * 517, (b"p" * 1400, b"p" * 631)
QUERY, ROWS = b"s" * 61, b"r" * 907
GET, FOUND = b"g" * 83, b"f" * 211


class Owned:
    """The socket of an end of a conversation: what the kernel tells of it as packets go by."""

    def __init__(self, journal: Journal, end: End, number: int, cgroup: int = 0) -> None:
        self.journal, self.end, self.number, self.cgroup = journal, end, number, cgroup

    def connecting(self, pid: int) -> None:
        """Who calls is told right before the SYN, which is yet to be sent; the port comes after."""
        self._state(CLOSE, SYN_SENT, pid, BELIEVED, after_us=STEP_US - 20, lport=0)

    def connected(self, interrupted: int) -> None:
        """The SYN|ACK was received."""
        self._state(SYN_SENT, ESTABLISHED, interrupted)

    def accepted(self, interrupted: int) -> None:
        """A listener has made it, when the handshake's ACK was received."""
        self._state(LISTEN, SYN_RECV, interrupted, after_us=2)
        self._state(SYN_RECV, ESTABLISHED, interrupted)

    def called(self, kind: str, pid: int, size: int, after_us: int = 15) -> None:
        """A call of a process has returned: `sent` or `received` so many bytes."""
        self._tell(after_us, kind, pid, BELIEVED, {"bytes": size})

    def closed_first(self, pid: int, interrupted: int) -> None:
        """A process has closed it: its FIN was sent, and the other's was received since."""
        self._state(ESTABLISHED, FIN_WAIT1, pid, BELIEVED, after_us=-2 * STEP_US - 5)
        self._state(FIN_WAIT1, FIN_WAIT2, interrupted, after_us=-STEP_US)
        self._state(FIN_WAIT2, CLOSE, interrupted)
        self._gone(interrupted)

    def closed_last(self, pid: int, interrupted: int) -> None:
        """A process has closed it after the other end had, whose ACK came last."""
        self._state(ESTABLISHED, CLOSE_WAIT, interrupted, after_us=-3 * STEP_US + 3)
        self._state(CLOSE_WAIT, LAST_ACK, pid, BELIEVED, after_us=-STEP_US - 5)
        self._state(LAST_ACK, CLOSE, interrupted)
        self._gone(interrupted)

    def _state(
        self,
        old: int,
        new: int,
        pid: int,
        flags: int = 0,
        *,
        after_us: int = 3,
        lport: int | None = None,
    ) -> None:
        self._tell(after_us, "state", pid, flags, {"old": old, "new": new, **self._ends(lport)})

    def _gone(self, pid: int) -> None:
        self._tell(5, "destroyed", pid, 0, {"cookie": 0x1000 + self.number, **self._ends()})

    def _ends(self, lport: int | None = None) -> Told:
        local, remote = self.end.endpoint, self.end.peer.endpoint
        port = local.port if lport is None else lport
        return {
            "laddr": local.address,
            "lport": port,
            "raddr": remote.address,
            "rport": remote.port,
        }

    def _tell(self, after_us: int, kind: str, pid: int, flags: int, told: Told) -> None:
        """An event so long after the latest packet."""
        time_ns = self.end.talk.clock_ns + after_us * 1000
        cgroup: Told = {"cgroup": self.cgroup} if self.cgroup else {}
        self.journal.event(time_ns, kind, pid, flags, socket=self.number, **told, **cgroup)


def captures() -> dict[str, Capture]:
    """The captures of this module by name."""
    journal = Journal(BEGAN_NS, BOOT_NS, NAMESPACE)
    _what_was_there(journal)
    talks = (_web(journal), _api(journal), _cron(journal), _ssh(), _shared(), _refused())
    shows = (
        "a server's connections: nginx, a container, cron's curl, ssh, a shared one, a refused one"
    )
    about = "the journal of owners of processes.pcap"
    content = journal.content(OVER_NS, ["127.0.0.0/8", HOST])
    return {
        "processes.pcap": pcap(by_time(*talks), shows, _facts()),
        "processes.owners": Capture(content, about, is_capture=False),
    }


def _what_was_there(journal: Journal) -> None:
    """Processes, and sockets that two readings of the table show, with who holds them."""
    journal.seeded(THERE)
    for each in (MASTER, *WORKERS, SSHD, BASH, SLEEP):
        journal.process(BEGAN_NS, each)
    sockets = [
        ["0.0.0.0", 443, "::", 0, 20001],
        [HOST, 22, "198.51.100.7", 51022, 20002],
        [HOST, 39980, "203.0.113.60", 6667, 20003],
    ]
    journal.sockets(BEGAN_NS, sockets)
    journal.holders(
        BEGAN_NS + 5_000_000,
        (20001, (MASTER, *WORKERS)),
        (20002, (SSHD,)),
        (20003, (BASH, SLEEP)),
    )
    for number in range(1, 14):
        journal.sockets(BEGAN_NS + number * 500_000_000)


def _talk(client: Endpoint, server: Endpoint, second: float) -> Conversation:
    return Conversation(client, server, start_ns=START_NS + round(second * 1_000_000_000))


def _web(journal: Journal) -> list[Packet]:
    """A client asks nginx: who accepts is told by its first call, events before name a stranger."""
    worker, stranger = WORKERS[0].pid, API.pid
    talk = _talk(Endpoint("198.51.100.20", 50001), Endpoint(HOST, 443), 0.0)
    client, server = talk.originator, talk.responder
    socket = Owned(journal, server, 1)
    client.sends(SYN)
    server.sends(SYN | ACK)
    client.sends(ACK)
    socket.accepted(stranger)
    client.sends(PUSH | ACK, REQUEST)
    socket.called("received", worker, len(REQUEST), after_us=60)
    for part in PAGE:
        server.sends(PUSH | ACK, part, after_us=1_200)
        socket.called("sent", worker, len(part))
        client.sends(ACK)
    server.sends(FIN | ACK)
    client.sends(ACK)
    client.sends(FIN | ACK)
    socket.closed_first(worker, stranger)
    server.sends(ACK)
    return talk.packets


def _calls(
    journal: Journal, socket: Owned, pid: int, asked: bytes, answered: bytes, interrupted: int
) -> list[Packet]:
    """A process of the host connects, asks, is answered, and the other end closes."""
    client, talk = socket.end, socket.end.talk
    server = talk.responder
    socket.connecting(pid)
    client.sends(SYN)
    server.sends(SYN | ACK, after_us=900)
    socket.connected(interrupted)
    client.sends(ACK, after_us=20)
    client.sends(PUSH | ACK, asked)
    socket.called("sent", pid, len(asked))
    server.sends(PUSH | ACK, answered, after_us=2_500)
    socket.called("received", pid, len(answered), after_us=40)
    client.sends(ACK, after_us=10)
    server.sends(FIN | ACK)
    client.sends(ACK)
    client.sends(FIN | ACK)
    server.sends(ACK)
    socket.closed_last(pid, interrupted)
    return talk.packets


def _api(journal: Journal) -> list[Packet]:
    """A process in a container asks a database; it is read when it is first seen to call."""
    talk = _talk(Endpoint(HOST, 40112), Endpoint("203.0.113.5", 5432), 1.0)
    journal.process(talk.clock_ns + 5_000_000, API)
    return _calls(journal, Owned(journal, talk.originator, 2), API.pid, QUERY, ROWS, 812)


def _cron(journal: Journal) -> list[Packet]:
    """Of a process that was gone before it was read, events tell the name and the cgroup."""
    talk = _talk(Endpoint(HOST, 40114), Endpoint("203.0.113.80", 80), 2.0)
    journal.process(talk.clock_ns + 12_000_000, SH)
    journal.cgroup(talk.clock_ns + 12_000_000, CRON_NUMBER, CRON)
    journal.forked(talk.clock_ns - 3_000_000, SH.pid, CURL)
    journal.executed(talk.clock_ns - 2_000_000, CURL, "curl")
    packets = _calls(
        journal, Owned(journal, talk.originator, 3, CRON_NUMBER), CURL, GET, FOUND, 812
    )
    journal.event(talk.clock_ns + 400_000, "exited", CURL)
    return packets


def _ssh() -> list[Packet]:
    """A session from before: no event tells of it, readings of the table do."""
    talk = _talk(Endpoint("198.51.100.7", 51022), Endpoint(HOST, 22), 3.0)
    talk.originator.sends(PUSH | ACK, b"k" * 36)
    talk.responder.sends(ACK)
    return talk.packets


def _shared() -> list[Packet]:
    """Somebody writes to a connection that two processes hold, and neither reads."""
    talk = _talk(Endpoint(HOST, 39980), Endpoint("203.0.113.60", 6667), 4.0)
    talk.responder.sends(PUSH | ACK, b"PING :irc.example\r\n")
    talk.originator.sends(ACK)
    return talk.packets


def _refused() -> list[Packet]:
    """Nobody listens."""
    talk = _talk(Endpoint("198.51.100.99", 40000), Endpoint(HOST, 23), 5.0)
    talk.originator.sends(SYN)
    talk.responder.sends(RST | ACK)
    return talk.packets


def _facts() -> Truth:
    return {
        "connections": 6,
        "local_rule": THE_ONE_ADDRESS,
        "local": [HOST],
        "connects": [connected("203.0.113.5", 5432), connected("203.0.113.80", 80)],
        "accepts": [accepted("198.51.100.20", 443)],
        "refused": 1,
        "owners": [
            {"lport": 443, "pids": [812], "attribution": "exact"},
            {"lport": 40112, "pids": [2990], "attribution": "exact"},
            {"lport": 40114, "pids": [4107], "attribution": "exact"},
            {"lport": 22, "pids": [1120], "attribution": "holder"},
            {"lport": 39980, "pids": [1600, 1601], "attribution": "shared"},
            {"lport": 23, "pids": [], "attribution": "kernel"},
        ],
        "calls": [
            {"pid": 812, "bytes": [len(part) for part in PAGE]},
            {"pid": 2990, "bytes": [len(QUERY)]},
            {"pid": 4107, "bytes": [len(GET)]},
        ],
    }
