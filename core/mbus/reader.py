"""A cursor over bytes.

In: bytes and the stage of the reader. Out: bytes and numbers, least significant byte first. The one rule:
running out is `TruncatedError` at an offset, never an IndexError; nobody above has to look at lengths.
"""

from core.mbus.errors import DecodeStage, TruncatedError


class Reader:
    """Reads forward from `position` to the end; offsets are those of the whole telegram."""

    __slots__ = ("data", "end", "position", "stage")

    def __init__(self, data: bytes, position: int, stage: DecodeStage) -> None:
        self.data = data
        self.position = position
        self.end = len(data)
        self.stage = stage

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self.end - self.position

    def byte(self) -> int:
        """The next byte."""
        position = self.position
        if position >= self.end:
            raise TruncatedError(self.stage, "The telegram ends where a byte is due.", offset=position)
        self.position = position + 1
        return self.data[position]

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        position = self.position
        stop = position + count
        if stop > self.end:
            message = f"The telegram ends where {count} bytes are due and {self.left} are left."
            raise TruncatedError(self.stage, message, offset=position)
        self.position = stop
        return self.data[position:stop]

    def number(self, count: int) -> int:
        """The next `count` bytes as an unsigned number."""
        return int.from_bytes(self.take(count), "little")
