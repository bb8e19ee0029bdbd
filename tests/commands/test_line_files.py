"""submeter.line_files and submeter.unpacking: bytes of any kind to lines, in bounded memory."""

import codecs
import gzip
import io
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.lines import LONGEST_LINE, cut_line
from submeter.line_files import LineReader, read_lines
from submeter.unpacking import FREE_BYTES, MOST_TIMES, PIECE, FileFault, Unpacking, zstd

LINES = ["T1;1;1;2026-07-14 08:15:42.000;97;148;0;0x1944", "# é🚰", "", '{"telegram":"1944"}', "last"]
TEXT = "\n".join(LINES)
PACKED = {"plain": bytes, "gzip": gzip.compress, "zstd": zstd.compress}
ENCODED = {
    "UTF-8": TEXT.encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + TEXT.encode(),
    "UTF-16 LE": codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
    "UTF-16 BE": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "UTF-16 LE without a mark": TEXT.encode("utf-16-le"),
    "UTF-16 BE without a mark": TEXT.encode("utf-16-be"),
    "UTF-32 LE": codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
}


def lines_of(data: bytes, size: int = PIECE, **options) -> tuple[list[str], LineReader]:
    """All lines, fed in pieces of a size."""
    reader = LineReader(**options)
    lines = [line for at in range(0, len(data), size) for line in reader.feed(data[at : at + size])]
    return [*lines, *reader.finish()], reader


@pytest.mark.parametrize("size", [1, 2, 3, 7, PIECE])
@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("encoded", ENCODED)
def test_every_encoding_and_packing_gives_the_same_lines(encoded, packed, size):
    """With a byte order mark or without, packed or not, in pieces of any size: the lines of the text."""
    lines, reader = lines_of(PACKED[packed](ENCODED[encoded]), size)
    assert (lines, reader.fault) == (LINES, None)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\0" * 8, "\0" * 4096])
@pytest.mark.parametrize("size", [1, 5, PIECE])
def test_a_line_ends_as_any_system_ends_it(end, size):
    """Also where a power cut left a block of NULs; no end makes an empty line of its own."""
    lines, _ = lines_of(end.join(["one", "two", "three"]).encode(), size)
    assert lines == ["one", "two", "three"]


def test_nuls_around_a_line_are_dropped_and_within_are_kept():
    """A few NULs before or after are no content; one within remains, so that its line is refused."""
    lines, _ = lines_of(b"\0\0one\n\0two\0\nth\0ree\n\0\0")
    assert [line.strip("\0") for line in lines] == ["one", "two", "th\0ree"]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_give_the_same_lines_in_pieces_of_any_size(data, size):
    """Nothing raises, and where a piece ends changes nothing."""
    whole, reader = lines_of(data)
    pieces, other = lines_of(data, size)
    assert (pieces, other.fault) == (whole, reader.fault)


def test_a_line_has_a_bound():
    """Of a line that is longer its beginning is kept, with its length; the next line is whole."""
    long = "F" * 100_000
    lines, _ = lines_of(f"{long}\nnext\n{long[:LONGEST_LINE]}".encode(), 1000)
    assert lines == [cut_line("F" * LONGEST_LINE, 100_000), "next", "F" * LONGEST_LINE]


def test_a_pipe_without_line_ends_takes_bounded_memory_and_linear_work():
    """64 MiB without a line end: no more than a line's bound is held after any piece, 4 MiB in all."""
    reader, piece, pieces = LineReader(), b"0" * 65_536, 1024
    tracemalloc.start()
    try:
        for _ in range(pieces):
            assert list(reader.feed(piece)) == []
            assert reader.held <= LONGEST_LINE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
    assert list(reader.finish()) == [cut_line("0" * LONGEST_LINE, pieces * len(piece))]


def test_a_sparse_file_takes_bounded_memory():
    """NULs without end are held as a few, and are no line."""
    reader = LineReader()
    for _ in range(64):
        assert [line for line in reader.feed(bytes(65_536)) if line] == []
        assert reader.held <= 16
    assert [line for line in (*reader.feed(b"T1\n"), *reader.finish()) if line] == ["T1"]


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_members_follow_each_other(packed):
    """A log that is packed day by day and joined, and padded with NULs, is one file."""
    pack = PACKED[packed]
    data = pack(b"one\ntw") + pack(b"o\n") + bytes(512) + pack(b"three")
    for size in (1, PIECE):
        lines, reader = lines_of(data, size)
        assert (lines, reader.fault) == (["one", "two", "three"], None)


def test_a_skippable_frame_of_zstd_is_skipped():
    """Frames of a user's own data (RFC 8878 clause 3.1.2) hold no content."""
    frame = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    lines, reader = lines_of(frame + zstd.compress(b"one") + frame)
    assert (lines, reader.fault) == (["one"], None)


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
@pytest.mark.parametrize("size", [1, PIECE])
def test_a_truncated_file_keeps_what_was_read_and_says_so(packed, size):
    """Cut at any place: the lines are those of the beginning, and the fault is named."""
    lines = [f"{number:04d} {zlib.crc32(bytes([number % 256])):08x}" for number in range(2000)]
    whole = PACKED[packed]("\n".join(lines).encode())
    for kept in (len(whole) // 2, len(whole) - 1, len(whole) - 5, 12):
        read, reader = lines_of(whole[:kept], size)
        assert reader.fault is not None
        assert reader.fault.code is FileFault.FILE_TRUNCATED
        assert read[:-1] == lines[: max(0, len(read) - 1)]
    assert len(lines_of(gzip.compress("\n".join(lines).encode())[:-8])[0]) == 2000


def test_a_damaged_file_keeps_the_members_before_the_damage():
    """A member whose content or checksum is damaged, and something else behind a member."""
    good = gzip.compress(b"one\n")
    bad = bytearray(gzip.compress(bytes(range(256)) * 40))
    bad[-6] ^= 1
    for data in (good + bytes(bad), good + b"something else"):
        read, reader = lines_of(data)
        assert read[0] == "one"
        assert reader.fault is not None
        assert reader.fault.code is FileFault.FILE_DAMAGED


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_a_bomb_is_stopped(packed):
    """Four times the free bytes from less than a 200th of them: stopped near the bound, none held."""
    unpacking = Unpacking()
    bomb = PACKED[packed](bytes(4 * FREE_BYTES))
    assert len(bomb) * MOST_TIMES < 4 * FREE_BYTES
    largest = total = 0
    for piece in unpacking.feed(bomb):
        largest, total = max(largest, len(piece)), total + len(piece)
    assert unpacking.fault is not None
    assert unpacking.fault.code is FileFault.FILE_EXPANDS_TOO_MUCH
    assert largest <= PIECE
    assert total <= max(FREE_BYTES, MOST_TIMES * len(bomb)) + PIECE
    assert list(unpacking.feed(b"more")) == list(unpacking.finish()) == []


@pytest.mark.parametrize(
    ("head", "name"), [(b"\xfd7zXZ\0", "xz"), (b"PK\x03\x04\0\0", "zip"), (b"BZh91AY", "bzip2")]
)
def test_another_packing_is_named(head, name):
    """What is recognised and not read is called by its name; its bytes are no lines."""
    lines, reader = lines_of(head + bytes(range(100)), 3)
    assert lines == []
    assert reader.fault is not None
    assert reader.fault.code is FileFault.FILE_FORMAT_NOT_READ
    assert name in reader.fault.message


def test_a_file_is_read_a_piece_at_a_time():
    """Lines come out before the file is read to its end."""

    class Counting(io.BytesIO):
        asked = 0

        def read(self, size=-1, /):
            self.asked += 1
            assert 0 < size <= PIECE
            return super().read(size)

    file = Counting(b"one\n" * PIECE)
    lines = read_lines(file, LineReader())
    assert next(lines) == "one"
    assert file.asked == 1
    assert sum(1 for _ in lines) == PIECE - 1
