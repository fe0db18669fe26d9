"""A cgroup is found by its number once a process of it was read."""

from __future__ import annotations

from pathlib import Path

from tcpsnoop.owners.cgroup_numbers import CgroupNumbers


def test_the_number_is_the_inode_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "system.slice" / "ssh.service"
    folder.mkdir(parents=True)
    numbers = CgroupNumbers(str(tmp_path))
    number = folder.stat().st_ino
    assert numbers.path(number) == ""
    numbers.learn("/system.slice/ssh.service")
    assert numbers.path(number) == "/system.slice/ssh.service"
    assert numbers.path(0) == ""


def test_beside_version_1_it_is_mounted_below(tmp_path: Path) -> None:
    folder = tmp_path / "unified" / "web"
    folder.mkdir(parents=True)
    (tmp_path / "web").mkdir()
    numbers = CgroupNumbers(str(tmp_path))
    numbers.learn("/web")
    assert numbers.path(folder.stat().st_ino) == "/web"
    assert numbers.path((tmp_path / "web").stat().st_ino) == ""


def test_what_is_not_there_has_no_number(tmp_path: Path) -> None:
    numbers = CgroupNumbers(str(tmp_path))
    numbers.learn("/gone")
    numbers.learn("")
    numbers.learn("/a\0b")
    assert numbers.path(tmp_path.stat().st_ino) == ""
