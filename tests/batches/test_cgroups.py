"""Paths of cgroups, as systemd and container engines make them in versions 1 and 2."""

from __future__ import annotations

import pytest

from tcpsnoop.batches.cgroups import container_of, containers_of, unit_of

ID, OTHER = "4f" * 32, "0123456789abcdef" * 4
POD = "pod2d3a8f7e-1111-4c2d-9e1f-0a1b2c3d4e5f"
POD_SLICE = "kubepods-burstable-" + POD.replace("-", "_")


@pytest.mark.parametrize(
    ("path", "unit", "container"),
    [
        ("", "", ""),
        ("/", "", ""),
        ("/system.slice/ssh.service", "ssh.service", ""),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", ""),
        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope",
            "app-x.scope",
            "",
        ),
        ("/system.slice/_cgroup.procs.service", "cgroup.procs.service", ""),
        ("/system.slice/nginx.service/workers", "nginx.service", ""),
        ("/web.slice", "", ""),
        # docker: by itself (either version), by systemd
        (f"/docker/{ID}", "", ID),
        (f"/system.slice/docker-{ID}.scope", f"docker-{ID}.scope", ID),
        # in a container with a systemd of its own
        (f"/system.slice/docker-{ID}.scope/system.slice/nginx.service", "nginx.service", ID),
        # one in another
        (f"/docker/{OTHER}/docker/{ID}", "", ID),
        # kubernetes: by itself; by systemd with containerd, cri-o; containerd on version 1
        (f"/kubepods/burstable/{POD}/{ID}", "", ID),
        (f"/kubepods/besteffort/{POD}/{ID}", "", ID),
        (
            f"/kubepods.slice/kubepods-burstable.slice/{POD_SLICE}.slice/cri-containerd-{ID}.scope",
            f"cri-containerd-{ID}.scope",
            ID,
        ),
        (
            f"/kubepods.slice/kubepods-burstable.slice/{POD_SLICE}.slice/crio-{ID}.scope",
            f"crio-{ID}.scope",
            ID,
        ),
        (
            f"/system.slice/containerd.service/{POD_SLICE}.slice:cri-containerd:{ID}",
            "containerd.service",
            ID,
        ),
        # what watches over it is outside of it
        (
            f"/kubepods.slice/{POD_SLICE}.slice/crio-conmon-{ID}.scope",
            f"crio-conmon-{ID}.scope",
            "",
        ),
        # podman: root's, a user's, without systemd
        (f"/machine.slice/libpod-{ID}.scope", f"libpod-{ID}.scope", ID),
        (f"/machine.slice/libpod-{ID}.scope/container", f"libpod-{ID}.scope", ID),
        (f"/machine.slice/libpod-conmon-{ID}.scope", f"libpod-conmon-{ID}.scope", ""),
        (
            f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container",
            f"libpod-{ID}.scope",
            ID,
        ),
        (f"/libpod_parent/libpod-{ID}", "", ID),
        # lxc has names
        ("/lxc/web", "", "web"),
        ("/lxc/web/system.slice/nginx.service", "nginx.service", "web"),
        ("/lxc.payload.web/system.slice/nginx.service", "nginx.service", "web"),
        ("/lxc.payload/web/init.scope", "init.scope", "web"),
        ("/lxc.monitor.web", "", ""),
        ("/lxc/", "", ""),
        ("/lxc.payload.", "", ""),
        # not an id
        (f"/docker/{ID[:-1]}", "", ""),
        (f"/docker/{ID}0", "", ""),
        (f"/docker/{ID.upper()}", "", ""),
        (f"/backup-of-{ID}.tar", "", ""),
    ],
)
def test_unit_and_container(path: str, unit: str, container: str) -> None:
    assert unit_of(path) == unit
    assert container_of(path) == container


def test_all_containers_of_a_path() -> None:
    assert containers_of(f"/docker/{OTHER}/docker/{ID}/lxc/web") == [OTHER, ID, "web"]
    assert containers_of("/system.slice/ssh.service") == []
