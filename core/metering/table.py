"""Interpreting by a table alone: what a meter says that means what the standard lets it mean, and no more.

In: opened frames. Out: a `Measurement` of each. The one rule: many frames at once say what each of them says
by itself; a driver that has a `Table` gives both to the house, and a batch is interpreted in a third of the
time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from core.mbus.frame import Frame
from core.metering.fields import Field, read_fields, read_fields_of_many
from core.metering.history import read_histories, read_history
from core.metering.measurement import Measurement
from core.metering.status import read_status, status_flags


@dataclass(frozen=True, slots=True)
class Table:
    """How the frames of some meters are read.

    Args:
        fields: the values, as for `read_fields`.
        storages: the storage numbers that are dated snapshots, as for `read_history`.

    """

    fields: tuple[Field, ...]
    storages: tuple[int, ...] = ()

    def interpret(self, frame: Frame) -> Measurement:
        """What a frame means."""
        return Measurement(
            values=read_fields(frame, self.fields),
            flags=read_status(frame),
            status_word=frame.envelope.status,
            history=read_history(frame, self.storages),
        )

    def interpret_many(self, frames: Sequence[Frame]) -> list[Measurement]:
        """What many frames mean; quick when they are of one layout."""
        layout = frames[0].layout if frames else None
        if layout is None or any([frame.layout is not layout for frame in frames]):  # noqa: C419 - half the time
            return [self.interpret(frame) for frame in frames]
        statuses = [frame.envelope.status for frame in frames]
        return list(
            map(
                Measurement,
                read_fields_of_many(frames, self.fields),
                map(status_flags, statuses),
                statuses,
                repeat(False),
                read_histories(frames, self.storages),
            )
        )
