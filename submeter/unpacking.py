"""Files that are packed: gzip and zstd, recognised by their first bytes, unpacked a piece at a time.

In: the bytes of a file or pipe, in pieces of any size. Out: its content, in pieces of a bounded size; plain
content as it is. The one rule: what was read before a fault is kept, and the fault says where and why it
ended. Memory is bounded by a piece and the window of zstd (128 MiB at most), and the content by its ratio: a
file that unpacks to more than any log does is a bomb.
"""

import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE: Final = 1 << 20
"""Bytes that are unpacked at once."""

FREE_BYTES: Final = 16 << 20
MOST_TIMES: Final = 200
"""Content beyond the free bytes may be so many times larger than the file; a log is 3 to 30 times."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"
_MAGIC_BYTES: Final = 6
_NOT_READ: Final = {
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\x04\x22\x4d\x18": "lz4",
}


class FileFault(StrEnum):
    """Why a file was not read to its end."""

    FILE_TRUNCATED = "FILE_TRUNCATED"
    FILE_DAMAGED = "FILE_DAMAGED"
    FILE_EXPANDS_TOO_MUCH = "FILE_EXPANDS_TOO_MUCH"
    FILE_FORMAT_NOT_READ = "FILE_FORMAT_NOT_READ"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why, and a sentence for a person."""

    code: FileFault
    message: str


class _Unpacker(Protocol):
    """One gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's object, with what it has not read yet kept inside, as the others do."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._tail = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._tail and not self._inner.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._tail + data, max_length)
        self._tail = self._inner.unconsumed_tail
        return out


class Unpacking:
    """Unpacks what is fed; `fault` is set where it had to end before the last byte."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.read = 0
        self.unpacked = 0
        self._head: bytes | None = b""
        self._between = b""
        self._packed = False
        self._inner: _Unpacker | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The content of the next bytes, none of its pieces larger than `PIECE`."""
        if self.fault is not None:
            return
        self.read += len(data)
        if self._head is not None:
            self._head += data
            if len(self._head) < _MAGIC_BYTES:
                return
            data, self._head = self._head, None
            self._recognise(data)
        yield from self._content(data)

    def finish(self) -> Iterator[bytes]:
        """The content that waited for more bytes; there are no more."""
        if self.fault is None and self._head is not None:
            data, self._head = self._head, None
            self._recognise(data)
            yield from self._content(data)
        if self.fault is None and (self._inner is not None or self._between):
            self._end(FileFault.FILE_TRUNCATED, f"it ends within its packed content, after {self.read} bytes")

    def _recognise(self, data: bytes) -> None:
        name = next((name for magic, name in _NOT_READ.items() if data.startswith(magic)), None)
        if name is not None:
            message = f"it is packed as {name}; gzip and zstd are read, others have to be unpacked first"
            self._end(FileFault.FILE_FORMAT_NOT_READ, message)
            return
        self._inner = _unpacker_of(data)
        self._packed = self._inner is not None

    def _content(self, data: bytes) -> Iterator[bytes]:
        if not self._packed and self.fault is None:
            yield from (data[at : at + PIECE] for at in range(0, len(data), PIECE))
        while self._packed and self.fault is None:
            if self._inner is None:
                data = self._next_member(data)
            if self._inner is None:
                return
            try:
                out = self._inner.decompress(data, PIECE)
            except (zlib.error, zstd.ZstdError) as failure:
                self._end(FileFault.FILE_DAMAGED, f"its packed content is damaged: {failure}")
                return
            data = b""
            if self._is_bomb(len(out)):
                return
            if out:
                yield out
            if self._inner.eof:
                data, self._inner = self._inner.unused_data, None
            elif self._inner.needs_input and len(out) < PIECE:
                return  # a piece that is just full may have more behind it that no input announces

    def _is_bomb(self, length: int) -> bool:
        self.unpacked += length
        bomb = self.unpacked > max(FREE_BYTES, MOST_TIMES * self.read)
        if bomb:
            message = f"{self.read} bytes unpack to more than {MOST_TIMES} times as many"
            self._end(FileFault.FILE_EXPANDS_TOO_MUCH, message)
        return bomb

    def _next_member(self, data: bytes) -> bytes:
        """What follows a member: another, whose bytes are returned, or NULs that pad the end."""
        data = (self._between + data).lstrip(b"\0")
        self._between = b""
        if len(data) < len(_ZSTD):
            self._between = data
            return b""
        self._inner = _unpacker_of(data)
        if self._inner is None:
            self._end(FileFault.FILE_DAMAGED, "something else follows its packed content")
        return data

    def _end(self, code: FileFault, message: str) -> None:
        self.fault = Fault(code, message)
        self._inner = None


def packing_of(head: bytes) -> str | None:
    """`gzip` or `zstd`, as HTTP names them, by the first four bytes; None for anything else."""
    if head.startswith(_GZIP):
        return "gzip"
    return "zstd" if head.startswith(_ZSTD) or head[1:4] == _ZSTD_SKIPPABLE else None


def _unpacker_of(data: bytes) -> _Unpacker | None:
    packing = packing_of(data)
    if packing == "gzip":
        return _Gzip()
    return None if packing is None else zstd.ZstdDecompressor()
