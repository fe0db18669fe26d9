"""One capture in every form: converted by editcap and back, and compressed. The same rows."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from captures.make.catalogue import HOME
from tcpsnoop.engine.replay import replay
from tcpsnoop.reporters.io import Io

# What editcap does not take as it is: files that are cut or damaged on purpose, lengths that it
# corrects in another way, a file of no packets, which it leaves without an interface; link types
# that it does not know, and one that it makes another of, under which its Cisco HDLC is lost.
NOT_CONVERTED = (
    *("cut", "damaged", "caplen-above-origlen", "empty"),
    *("hdlc-direction", "ppp-pppd", "ppp-serial"),
)

NANOSECONDS = {struct.pack(order + "I", 0xA1B23C4D) for order in "<>"}
# Wireshark 4.0 takes this variant for microseconds; later versions, with evidence, for nanoseconds.
IXIA_NANOSECONDS = 0x1C0001AC

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda content: zstandard.ZstdCompressor(write_checksum=True).compress(content),
}


def ours(*endings: str) -> list[Path]:
    return sorted(path for path in HOME.iterdir() if path.suffix in endings)


def rows(path: Path) -> list[dict[str, Any]]:
    return replay(Io(), path)


def converted(path: Path, form: str, folder: Path) -> Path:
    """The capture as editcap writes it in another format."""
    new = folder / f"{path.name}.{form}"
    done = subprocess.run(
        ["editcap", "-F", form, path, new], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return new


def there_and_back(path: Path, folder: Path) -> list[Path]:
    """As pcapng, as pcap again of the same resolution, and as pcapng from that."""
    classic = "nsecpcap" if path.read_bytes()[:4] in NANOSECONDS else "pcap"
    new = converted(path, "pcapng", folder)
    back = converted(new, classic, folder)
    return [new, back, converted(back, "pcapng", folder)]


@pytest.mark.program("editcap")
@pytest.mark.parametrize(
    "path",
    [path for path in ours(".pcap") if not path.name.startswith(NOT_CONVERTED)],
    ids=lambda path: path.name,
)
def test_every_pcap_of_ours_converted_and_back(path: Path, tmp_path: Path) -> None:
    expected = rows(path)
    for new in there_and_back(path, tmp_path):
        assert rows(new) == expected, new.name


@pytest.mark.program("editcap")
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "extra_in_file", "extra_in_record", "unit"),
    [
        (0xA1B2C3D4, 0, 0, 1000),
        (0xA1B23C4D, 0, 0, 1),
        (0xA1B2CD34, 0, 8, 1000),  # Kuznetzov
        (IXIA_NANOSECONDS, 4, 0, 1),
        (0x1C0001AB, 4, 0, 1000),
    ],
)
def test_variants_of_pcap_converted_and_back(
    order: str, magic: int, extra_in_file: int, extra_in_record: int, unit: int, tmp_path: Path
) -> None:
    path, plain = tmp_path / "variant", tmp_path / "plain"
    path.write_bytes(finger_as(order, magic, unit, extra_in_file, extra_in_record))
    plain.write_bytes(finger_as("<", 0xA1B23C4D if unit == 1 else 0xA1B2C3D4, unit))
    expected = rows(path)
    assert [row["packet"] for row in expected] == list(range(1, 12))
    assert expected == rows(plain)
    if magic != IXIA_NANOSECONDS:
        new = converted(path, "pcapng", tmp_path)
        assert rows(new) == expected
        assert rows(converted(new, "nsecpcap" if unit == 1 else "pcap", tmp_path)) == expected


def finger_as(order: str, magic: int, unit: int, in_file: int = 0, in_record: int = 0) -> bytes:
    """The finger session in a variant of pcap: a time unit in ns, more bytes in the headers."""
    plain = (HOME / "finger.pcap").read_bytes()
    content = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262144, 1) + bytes(in_file)
    at = 24
    while at < len(plain):
        seconds, micros, captured, original = struct.unpack_from("<4I", plain, at)
        numbers = (seconds, micros * 1000 // unit, captured, original)
        content += struct.pack(f"{order}4I", *numbers) + bytes(in_record)
        content += plain[at + 16 : at + 16 + captured]
        at += 16 + captured
    return content


@pytest.mark.program("editcap")
@pytest.mark.parametrize("name", ["finger.pcap", "accepts.pcap", "loss.pcap", "vlan.pcap"])
def test_snoop_and_back(name: str, tmp_path: Path) -> None:
    expected = rows(HOME / name)
    new = converted(HOME / name, "snoop", tmp_path)
    assert rows(new) == expected
    assert rows(converted(new, "pcapng", tmp_path)) == expected


@pytest.mark.parametrize("form", COMPRESSIONS)
def test_every_capture_of_ours_compressed(form: str, tmp_path: Path) -> None:
    for path in ours(".pcap", ".pcapng", ".snoop"):
        compressed = tmp_path / f"{path.name}.{form}"
        compressed.write_bytes(COMPRESSIONS[form](path.read_bytes()))
        assert rows(compressed) == rows(path), path.name


@pytest.mark.slow
@pytest.mark.program("editcap")
def test_the_corpus_converted_and_compressed(corpus: Path, tmp_path: Path) -> None:
    """Every pcap of the corpus, but for that without packets."""
    count = 0
    for path in sorted((corpus / "dev").glob("*.pcap")):
        if path.name == "tcpdump__empty.pcap":
            continue
        expected = rows(path)
        for form, compress in COMPRESSIONS.items():
            compressed = tmp_path / form
            compressed.write_bytes(compress(path.read_bytes()))
            assert rows(compressed) == expected, (path.name, form)
        for new in there_and_back(path, tmp_path):
            assert rows(new) == expected, new.name
            new.unlink()
        count += 1
    assert count > 80
