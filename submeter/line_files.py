"""Lines of a file or pipe, whatever it is: UTF-8 or UTF-16, with a byte order mark or without, gzip or zstd.

In: bytes, in pieces of any size. Out: lines without their ends. The one rule: every step works on a bounded
piece and keeps no more than a line's bound, so that a file of any size, and a pipe without a line end, take
bounded memory and linear time. A line beyond the bound comes out as its beginning and its length
(`core.mbus.lines.cut_line`).
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from core.mbus.lines import LONGEST_LINE, cut_line
from submeter.unpacking import PIECE, Fault, Unpacking

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARK_BYTES: Final = 4
_INTERRUPTED: Final = 8
"""So many NULs in a row are where a power cut interrupted a log: what follows is a line of its own."""
_LINE_ENDS: Final = re.compile(rf"\r\n?|\0{{{_INTERRUPTED},}}")


class LineReader:
    """Cuts what is fed into lines.

    Args:
        longest: characters of a line that are kept.
        errors: what becomes of bytes that are no text: `replace`, or `strict` to raise UnicodeDecodeError.

    """

    def __init__(self, *, longest: int = LONGEST_LINE, errors: str = "replace") -> None:
        self._unpacking = Unpacking()
        self._longest = longest
        self._errors = errors
        self._head: bytes | None = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._waiting = ""  # a carriage return or NULs that the next piece may continue
        self._parts: list[str] = []
        self._kept = 0
        self._length = 0

    @property
    def fault(self) -> Fault | None:
        """Why the lines ended before the file did."""
        return self._unpacking.fault

    @property
    def held(self) -> int:
        """Characters that wait for the end of their line."""
        return self._kept + len(self._waiting)

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that end within these bytes."""
        for content in self._unpacking.feed(data):
            yield from self._lines(self._text(content))

    def finish(self) -> Iterator[str]:
        """The lines that no more bytes will continue."""
        for content in self._unpacking.finish():
            yield from self._lines(self._text(content))
        yield from self._lines(self._text(b"", final=True))
        self._waiting = ""
        if self._length:
            yield self._line()

    def _text(self, content: bytes, *, final: bool = False) -> str:
        if self._head is not None:
            self._head += content
            if len(self._head) < _MARK_BYTES and not final:
                return ""
            content, self._head = self._head, None
            encoding, length = _encoding_of(content)
            content = content[length:]
            self._decoder = codecs.getincrementaldecoder(encoding)(self._errors)
        assert self._decoder is not None
        return self._decoder.decode(content, final)

    def _lines(self, text: str) -> Iterator[str]:
        text = self._waiting + text
        # At most a bound of NULs is kept for the next piece, however many there were.
        ended = text.rstrip("\0")
        nuls = len(text) - len(ended)
        self._waiting = "\0" * min(nuls, _INTERRUPTED)
        text = ended
        if not nuls and text.endswith("\r"):
            self._waiting, text = "\r", text[:-1]
        if "\r" in text or "\0" in text:
            text = _LINE_ENDS.sub("\n", text)
        lines = text.split("\n")
        self._add(lines[0])
        if len(lines) > 1:
            yield self._line()
            whole = lines[1:-1]  # nearly all
            if len(text) <= self._longest and "\0" not in text:
                yield from whole
            else:
                yield from map(self._bounded, whole)
            self._add(lines[-1])

    def _bounded(self, line: str) -> str:
        line = line.lstrip("\0")
        return line if len(line) <= self._longest else cut_line(line[: self._longest], len(line))

    def _add(self, part: str) -> None:
        if not self._length:
            part = part.lstrip("\0")
        if not part:
            return
        self._length += len(part)
        part = part[: self._longest - self._kept]
        if part:
            self._parts.append(part)
            self._kept += len(part)

    def _line(self) -> str:
        line, length = "".join(self._parts), self._length
        self._parts, self._kept, self._length = [], 0, 0
        return line if length <= self._longest else cut_line(line, length)


def read_lines(file: BinaryIO, reader: LineReader) -> Iterator[str]:
    """All lines of an open file; `reader` knows afterwards whether they are all."""
    while reader.fault is None and (data := file.read(PIECE)):
        yield from reader.feed(data)
    yield from reader.finish()


def _encoding_of(head: bytes) -> tuple[str, int]:
    """The encoding by the first bytes, and how many of them are its mark."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    low, high = head[0:_MARK_BYTES:2], head[1:_MARK_BYTES:2]
    if len(high) == _MARK_BYTES // 2:
        # Digits and Latin letters in UTF-16: every other byte is NUL.
        if not any(high) and all(low):
            return "utf-16-le", 0
        if not any(low) and all(high):
            return "utf-16-be", 0
    return "utf-8", 0
