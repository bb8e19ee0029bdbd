"""Frames of record streams alone, for tests of what stands below the headers.

In: a stream of records, or what was read of one. Out: the frame, its records. The one rule: there is no
envelope, and nothing that is asked here needs one.
"""

from core.mbus.frame import Frame, frame_of
from core.mbus.records import Content, Record, read_records


def frame_around(content: Content, stream: bytes) -> Frame:
    """The frame of what was read of a stream."""
    return frame_of(None, stream, content, start=0, opened_from=0)


def records_in(stream: bytes) -> tuple[Record, ...]:
    """The records of a stream."""
    return frame_around(read_records(stream, 0), stream).records
