"""What was read of a pipe while the database was away, kept on disk in the order of its reception.

In: deliveries. Out: the same, oldest first, when the database is back or when the next `submeter ingest`
starts. The one rule: a delivery that `append` has returned for survives the end of this process and of the
machine (it is synchronised), and is removed only when it is committed; one that is taken in twice changes
nothing.

A folder a process, locked while the process runs; in it files of a few megabytes, each a sequence of frames:
a mark, the length of the content, its CRC-32, the content. A frame that was cut by a power failure was never
returned for; a file with a damaged one is set aside for a person, and what is before and after it is read.
"""

import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import msgspec

from submeter.file_lock import lock

FILE_BYTES: Final = 16 << 20
_HEAD: Final = struct.Struct(">4sII")
_MARK: Final = b"SMS1"
_SUFFIX: Final = ".spool"
_DAMAGED: Final = ".damaged"
_LOCK: Final = "lock"


class SpooledDelivery(msgspec.Struct, frozen=True):
    """Lines that were read together, when, and of what source."""

    source: str
    received_at: datetime
    lines: list[str]


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A file of deliveries, to be removed when they are committed."""

    path: Path
    is_damaged: bool
    deliveries: tuple[SpooledDelivery, ...]

    def remove(self) -> None:
        """Forget it; a damaged one is set aside."""
        if self.is_damaged:
            self.path.rename(self.path.with_suffix(_DAMAGED))
        else:
            self.path.unlink()


class Spool:
    """The spool of a process, and those that ended processes have left.

    Args:
        folder: where all spools are.
        most_bytes: what they may hold together with what was left.

    """

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._locks: dict[Path, int] = {}
        self._own: Path | None = None
        self._numbers = count(1)
        self._open: tuple[Path, int, int] | None = None  # the file that is being written, and its size
        self._adopt()

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return sum(path.stat().st_size for path in self._files())

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._files()

    def has_room(self, characters: int) -> bool:
        """Whether a delivery of so many characters fits; an empty spool takes one of any size."""
        size = self.size
        return size == 0 or size + characters + _HEAD.size <= self._most_bytes

    def append(self, delivery: SpooledDelivery) -> None:
        """Keep a delivery; it is on the disk when this returns."""
        content = msgspec.msgpack.encode(delivery)
        frame = _HEAD.pack(_MARK, len(content), zlib.crc32(content)) + content
        path, descriptor, size = self._open or self._new_file()
        try:
            view = memoryview(frame)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError:
            # The part of a frame that was written must not stand before another.
            self._close_file()
            raise
        self._open = (path, descriptor, size + len(frame))
        if size + len(frame) >= FILE_BYTES:
            self._close_file()

    def oldest(self) -> SpooledFile | None:
        """The file with the oldest deliveries; nothing is appended to it any more."""
        path = next(iter(self._files()), None)
        if path is None:
            return None
        if self._open is not None and path == self._open[0]:
            self._close_file()
        deliveries, is_damaged = _read(path.read_bytes())
        return SpooledFile(path, is_damaged, tuple(deliveries))

    def close(self) -> None:
        """Leave what waits to the next process; an empty folder is removed."""
        self._close_file()
        for folder, descriptor in self._locks.items():
            if not any(path.name != _LOCK for path in folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)
        self._locks.clear()
        self._own = None

    def _adopt(self) -> None:
        """Take over the folders that no process holds."""
        if self._folder.is_dir():
            for folder in sorted(path for path in self._folder.iterdir() if path.is_dir()):
                descriptor = lock(folder / _LOCK)
                if descriptor is not None:
                    self._locks[folder] = descriptor

    def _files(self) -> list[Path]:
        """Oldest first: folders are named by the moment they were made, files are numbered."""
        return [path for folder in sorted(self._locks) for path in sorted(folder.glob(f"*{_SUFFIX}"))]

    def _new_file(self) -> tuple[Path, int, int]:
        if self._own is None:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}"
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own = self._folder / name
            self._own.mkdir(mode=0o700)
            descriptor = lock(self._own / _LOCK)
            assert descriptor is not None
            self._locks[self._own] = descriptor
            _synchronise(self._folder)
        path = self._own / f"{next(self._numbers):08d}{_SUFFIX}"
        self._open = (path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), 0)
        _synchronise(self._own)
        return self._open

    def _close_file(self) -> None:
        if self._open is not None:
            os.close(self._open[1])
            self._open = None


def _synchronise(folder: Path) -> None:
    """Have the names of new files on the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(content: bytes) -> tuple[list[SpooledDelivery], bool]:
    """The whole frames, and whether there is anything else between them than one that is cut at the end."""
    deliveries, is_damaged, at = [], False, 0
    while at < len(content):
        frame = _frame_at(content, at)
        if frame is not None:
            delivery, at = frame
            deliveries.append(delivery)
            continue
        following = next(_whole_frames(content, at + 1), None)
        if following is None:
            is_damaged = is_damaged or not _is_cut(content[at:])
            break
        is_damaged, at = True, following
    return deliveries, is_damaged


def _frame_at(content: bytes, at: int) -> tuple[SpooledDelivery, int] | None:
    if len(content) - at < _HEAD.size:
        return None
    mark, length, check = _HEAD.unpack_from(content, at)
    body = content[at + _HEAD.size : at + _HEAD.size + length]
    if mark != _MARK or len(body) != length or zlib.crc32(body) != check:
        return None
    try:
        return msgspec.msgpack.decode(body, type=SpooledDelivery), at + _HEAD.size + length
    except msgspec.DecodeError:
        return None


def _whole_frames(content: bytes, since: int) -> Iterator[int]:
    at = content.find(_MARK, since)
    while at >= 0:
        if _frame_at(content, at) is not None:
            yield at
        at = content.find(_MARK, at + 1)


def _is_cut(rest: bytes) -> bool:
    """Whether a frame begins as it should and ends too early, so that it was being written."""
    if len(rest) < _HEAD.size:
        return _MARK.startswith(rest[: len(_MARK)])
    mark, length, _ = _HEAD.unpack_from(rest)
    return bool(mark == _MARK and len(rest) < _HEAD.size + length)
