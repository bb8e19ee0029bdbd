"""`submeter ingest` or `worker` as it is, with the clock stopped at the moment that is the first argument.

So the tables of two runs are equal to the last column.
"""

import sys
from datetime import UTC, datetime, tzinfo

from submeter import lasting_intake, work
from submeter.commands import ingest
from submeter.main import main


class StoppedClock:
    """What the commands use of `datetime`."""

    @staticmethod
    def now(tz: tzinfo) -> datetime:
        """The moment of the first argument."""
        return datetime.fromisoformat(sys.argv[1]).astimezone(tz or UTC)


if __name__ == "__main__":
    for module in (ingest, lasting_intake, work):
        module.datetime = StoppedClock  # type: ignore[attr-defined]
    main(sys.argv[2:])
