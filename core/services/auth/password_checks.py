"""Judges passwords without holding up the other requests: an estimate of guesses is work for tens of
milliseconds.

In: what the pure check is to be asked. Out: its answer, or what it raises. The one rule: whoever waits for a
judgement counts the request before, since a password may be made to be dear.
"""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")


async def judged(check: Callable[[], T]) -> T:
    """The answer of a pure check, worked out in a thread."""
    return await to_thread.run_sync(check, limiter=_at_a_time())


@cache
def _at_a_time() -> CapacityLimiter:
    """Two a process, whoever waits: they share one interpreter with everybody else."""
    return CapacityLimiter(2)
