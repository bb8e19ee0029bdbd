"""The classifier state of each meter: a block of columns, one per meter, of fixed size.

In and out: arrays whose last axis is the meter. The one rule: the state of a meter never grows with its
history; a column can be packed into bytes and unpacked again, and the classifier continues as if it had never
stopped.
"""

import zlib
from collections.abc import Collection, Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

RING = 140
"""Readings stored of a meter: four days of hourly ones with room for denser stretches."""

_LOW_RATES_LPH = (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 9, 10, 11, 12, 13.5, 15)
_HIGH_RATES_LPH = (17, 20, 23, 26, 30, 35, 40, 46, 53, 61, 70, 81, 93, 107, 123, 141, 163, 187, 215, 248, 285)
RATES_LPH = np.array([*_LOW_RATES_LPH, *_HIGH_RATES_LPH, 328, 377, 433])
"""The leak rates that the filter of sparse readings distinguishes; the first is none."""

DEMAND_EDGES_L = np.array(
    [0.5, 1.5, 2.5, 4, 6, 9, 13, 19, 27, 38, 53, 75, 105, 150, 210, 300, 420, 600, 850, 1200, 1700, 2400]
)
"""The limits between the bins of a dwelling's own demand, in litres per slot."""

SLOTS = 5
"""Four quarters of the day, and whole days."""

DAYS = 60
"""The last days of a meter that is read rarely."""

_VERSION = 4
_NEVER = -1.0e15

Array = NDArray[Any]

FieldSpec: TypeAlias = tuple[tuple[int, ...], str, float]
"""Shape without the meters' axis, kind, and the value of a meter of which nothing is known."""

_RATES, _BINS = len(RATES_LPH), len(DEMAND_EDGES_L) + 1
FIELDS: dict[str, FieldSpec] = {
    # the register: the last reading accepted, unwrapped, and the meter it belongs to
    "at": ((), "f8", _NEVER),
    "top": ((), "f8", 0.0),
    "serial": ((), "i8", -1),
    "sparse": ((), "i8", 0),  # a bit for each of the last eight intervals, 1 when it was a sparse one
    # rings, the latest reading first
    "time": ((RING,), "f8", _NEVER),
    "index": ((RING,), "f8", _NEVER),
    "seen": ((RING,), "f8", _NEVER),  # observed time up to that reading, in seconds
    "bound": ((RING,), "f8", np.inf),  # least upper bound of the windows within it and now, L/h
    "flow": ((RING,), "f8", np.inf),  # least estimate of the same windows, L/h
    # how long the dwelling goes without a pause, in seconds of observed time
    "pause": ((), "f8", _NEVER),  # the last window that carried less than level 1
    "busy": ((), "f8", 0.0),  # the longest time between two of them lately, leaks apart
    # the filter of sparse readings
    "belief": ((_RATES,), "f8", 0.0),
    "rise": ((_RATES,), "f8", 0.0),  # evidence for each rate since its supposed onset
    "onset": ((_RATES,), "f8", _NEVER),
    "demand": ((SLOTS, _BINS), "f8", 0.0),
    "intervals": ((), "i8", 0),
    # whole days of sparse readings, the latest first: litres in 24 h, negative where they are not known
    "days": ((DAYS,), "f4", -1.0),
    "day_sum": ((), "f8", 0.0),  # litres and hours of the day that is not complete
    "day_hours": ((), "f8", 0.0),
    "day_odds": ((), "f8", np.nan),  # the log odds of a leak by those days, once they were asked for
    # the open episode, or the end of the last one
    "open": ((), "i8", 0),  # 0 none, 1 by bounds, 2 by the filter
    "since": ((), "f8", _NEVER),
    "until": ((), "f8", _NEVER),  # end of the last episode: no window of a new one begins before
    "detected": ((), "f8", _NEVER),
    "level": ((), "i8", 0),
    "rate": ((), "f8", 0.0),  # the present flow, L/h: its least
    "mean": ((), "f8", 0.0),  # the mean of a flow that breathes with the pressure, which the loss counts
    "rate_run": ((), "f8", _NEVER),  # since when that flow holds
    "rate_ref": ((), "f8", 0.0),  # the flow against which an end is measured
    "rate_ref_at": ((), "f8", _NEVER),
    "least": ((), "f8", np.inf),  # least bound since that flow last changed
    "lost": ((), "f8", 0.0),  # litres up to rate_run
    "lower": ((), "f8", np.inf),  # since when the flow has been at a lower level
    "sure_at": ((), "f8", _NEVER),  # when the filter last believed in the leak as an opening requires
}

EPISODE = (
    *("since", "level", "rate", "mean", "rate_run", "rate_ref", "rate_ref_at"),
    *("least", "lost", "lower", "sure_at"),
)
"""The fields that change while an open episode is tracked."""


class ClassifierState:
    """The state of a block of meters: `state["bound"]` is an array whose last axis is the meter."""

    def __init__(self, fields: dict[str, Array]) -> None:
        self._fields = fields

    @classmethod
    def fresh(cls, meters: int) -> "ClassifierState":
        """The empty state of so many meters."""
        return cls.blank(meters, FIELDS)

    @classmethod
    def blank(cls, meters: int, fields: Mapping[str, FieldSpec]) -> "ClassifierState":
        """The same with fields of these shapes."""
        blank: dict[str, Array] = {
            name: np.full((*shape, meters), value, dtype=kind)
            for name, (shape, kind, value) in fields.items()
        }
        blank["belief"][:1] = 1.0
        return cls(blank)

    def __getitem__(self, name: str) -> Array:
        return self._fields[name]

    @property
    def meters(self) -> int:
        return int(self._fields["at"].shape[-1])

    def take(self, columns: Array) -> "ClassifierState":
        """A copy of some columns."""
        return ClassifierState({name: values[..., columns] for name, values in self._fields.items()})

    def part(self, columns: Array, copied: Collection[str] = ()) -> "ClassifierState":
        """Some columns to read; of them only the fields named may be written, which is not written here."""
        if len(columns) < self.meters:
            return self.take(columns)
        fields = {name: self._fields[name].copy() for name in copied}
        return ClassifierState(self._fields | fields)

    def first(self, columns: int) -> "ClassifierState":
        """The first so many columns, in place: what is written there is written here."""
        if columns == self.meters:
            return self
        return ClassifierState({name: values[..., :columns] for name, values in self._fields.items()})

    def put(self, columns: Array, part: "ClassifierState") -> None:
        """Write columns taken before back to their places."""
        for name, values in self._fields.items():
            values[..., columns] = part[name]

    @staticmethod
    def can_unpack(packed: bytes) -> bool:
        """Whether this version of the classifier packed it."""
        return packed[:1] == bytes((_VERSION,))

    def pack(self, column: int) -> bytes:
        """The state of one meter as bytes."""
        parts = [np.ascontiguousarray(self._fields[name][..., column]).tobytes() for name in FIELDS]
        return bytes((_VERSION,)) + zlib.compress(b"".join(parts), 1)

    @classmethod
    def unpack(cls, packed: "list[bytes | None]") -> "ClassifierState":
        """A block from packed columns; None is a meter without state yet.

        Raises:
            ValueError: for bytes of another version.
        """
        state = cls.fresh(len(packed))
        for column, data in enumerate(packed):
            if data is not None:
                state.write(column, data)
        return state

    def write(self, column: int, data: bytes) -> None:
        """Write the packed state of one meter to its column.

        Raises:
            ValueError: for bytes of another version.
        """
        if not self.can_unpack(data):
            raise ValueError("this state of a meter was packed by another version of the classifier")
        raw, offset = zlib.decompress(data[1:]), 0
        for name, (shape, kind, _) in FIELDS.items():
            values = np.frombuffer(raw, kind, prod(shape), offset)
            self._fields[name][..., column] = values.reshape(shape)
            offset += values.nbytes
