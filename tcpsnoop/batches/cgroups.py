"""What the path of a cgroup tells of its processes: a systemd unit, a container.

Paths as in /proc/PID/cgroup (cgroups(7)), of either version. Units have folders of their names
(systemd's CGROUP_DELEGATION.md, systemd.unit(5)). Container engines name folders by the 64
hexadecimal digits of the container's id, with what they are before it and `.scope` behind where
systemd makes them: `docker/ID`, `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`,
`libpod-ID.scope`, `kubepods/burstable/podUID/ID`, `kubepods-podUID.slice:cri-containerd:ID`. Of lxc
they have names: `lxc/NAME`, `lxc.payload.NAME`, `lxc.payload/NAME`.
"""

from __future__ import annotations

import re

# Kinds of units that have processes; slices only hold others.
_UNIT = re.compile(r"_?(.+\.(?:service|scope|socket|mount|swap))")
_ID = re.compile(r"(?:.*[-:])?([0-9a-f]{64})(?:\.scope)?")
# What watches over a container from outside has its id, too: `crio-conmon-ID.scope`.
_BESIDE = re.compile(r"(?:crio|libpod)-conmon-")
_LXC_FOLDERS = ("lxc", "lxc.payload")
_LXC = "lxc.payload."


def unit_of(path: str) -> str:
    """The systemd unit of a path, the innermost; "" when there is none."""
    found = (_UNIT.fullmatch(part) for part in reversed(path.split("/")))
    return next((match[1] for match in found if match), "")


def container_of(path: str) -> str:
    """The id, or lxc's name, of the container of a path, the innermost; "" when there is none."""
    return next(reversed(containers_of(path)), "")


def containers_of(path: str) -> list[str]:
    """Those of all containers that a path leads through."""
    found = []
    before = ""
    for part in path.split("/"):
        match = _ID.fullmatch(part)
        if match and not _BESIDE.match(part):
            found.append(match[1])
        elif before in _LXC_FOLDERS and part:
            found.append(part)
        elif part.startswith(_LXC) and len(part) > len(_LXC):
            found.append(part.removeprefix(_LXC))
        before = part
    return found
