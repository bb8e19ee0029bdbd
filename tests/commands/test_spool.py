"""The spool: what was kept comes out in order, whatever happened to the process or to the file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from submeter.spool import FILE_BYTES, Spool, SpooledDelivery

AT = datetime(2026, 11, 22, 9, 30, 1, 250_000, tzinfo=UTC)


def delivery(number: int, size: int = 10) -> SpooledDelivery:
    return SpooledDelivery(f"pipe {number}", AT, [f"{number} é \0 " + "x" * size])


def drained(spool: Spool) -> list[SpooledDelivery]:
    found: list[SpooledDelivery] = []
    while (file := spool.oldest()) is not None:
        found += file.deliveries
        file.remove()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_deliveries_come_out_as_they_went_in(folder: Path) -> None:
    """In order, over several files, with those that are appended while it is drained."""
    spool = Spool(folder, most_bytes=1 << 30)
    wanted = [delivery(number, FILE_BYTES // 3) for number in range(8)]
    for one in wanted[:6]:
        spool.append(one)
    assert len(list(folder.glob("*/*.spool"))) == 2
    file = spool.oldest()
    assert file is not None
    found = list(file.deliveries)
    file.remove()
    for one in wanted[6:]:
        spool.append(one)
    assert found + drained(spool) == wanted
    assert spool.is_empty
    spool.close()
    assert list(folder.iterdir()) == []


def test_a_running_process_keeps_its_own(folder: Path) -> None:
    """Another finds nothing of it; once it has ended, everything, before its own."""
    first = Spool(folder, most_bytes=1 << 30)
    first.append(delivery(1))
    second = Spool(folder, most_bytes=1 << 30)
    assert second.is_empty
    second.append(delivery(2))
    first.close()
    second.close()
    assert drained(Spool(folder, most_bytes=1 << 30)) == [delivery(1), delivery(2)]


def test_what_waits_counts_whoever_kept_it(folder: Path) -> None:
    """The bound is that of all that waits; an empty spool takes a delivery of any size."""
    first = Spool(folder, most_bytes=100)
    assert first.has_room(10_000)
    first.append(delivery(1, 10_000))
    assert not first.has_room(1)
    first.close()
    second = Spool(folder, most_bytes=100)
    assert not second.has_room(1)
    drained(second)
    assert second.has_room(10_000)


def stored(folder: Path, count: int) -> tuple[Path, bytes]:
    spool = Spool(folder, most_bytes=1 << 30)
    for number in range(count):
        spool.append(delivery(number))
    spool.close()
    (path,) = folder.glob("*/*.spool")
    return path, path.read_bytes()


def test_a_file_that_was_being_written_is_read_as_far_as_it_was_kept(folder: Path) -> None:
    """Cut at any byte: whole deliveries before the cut, nothing else, and no alarm."""
    path, content = stored(folder, 2)
    whole = len(content) // 2
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        spool = Spool(folder, most_bytes=1 << 30)
        file = spool.oldest()
        spool.close()
        assert file is not None
        assert list(file.deliveries) == [delivery(0)] * (cut >= whole)
        assert not file.is_damaged


@pytest.mark.parametrize("place", range(0, 60, 3))
def test_a_damaged_delivery_is_set_aside(folder: Path, place: int) -> None:
    """Those before and after it are read, and the file is there for a person."""
    path, content = stored(folder, 3)
    third = len(content) // 3
    at = third + place % third
    path.write_bytes(content[:at] + bytes((content[at] ^ 0x55,)) + content[at + 1 :])
    spool = Spool(folder, most_bytes=1 << 30)
    file = spool.oldest()
    assert file is not None
    assert list(file.deliveries) == [delivery(0), delivery(2)]
    assert file.is_damaged
    file.remove()
    assert spool.is_empty
    assert [one.suffix for one in folder.glob("*/0*")] == [".damaged"]
    spool.close()
    assert len(list(folder.glob("*/*.damaged"))) == 1
