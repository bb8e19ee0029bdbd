"""Counts the effect of guesses: how many are checked, and what each costs.

In: the log of the database's client and the hashes that are computed. Out: a `Guess` each. The one rule:
nothing is timed; work is the statements that a guess makes and the hashes that it costs, in their order.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.services.auth import passwords


@dataclass(frozen=True, slots=True)
class Guess:
    """The result of one guess: the answer's code, its statements, and its hashes."""

    answer: str
    statements: tuple[str, ...]
    hashes: int


@dataclass
class Work:
    """The work of the application meanwhile."""

    statements: list[str] = field(default_factory=list)
    hashes: int = 0

    def taken(self, answer: str) -> Guess:
        """A guess with the work since the last one."""
        guess = Guess(answer, tuple(self.statements), self.hashes)
        self.statements.clear()
        self.hashes = 0
        return guess


class _Statements(logging.Handler):
    def __init__(self, work: Work) -> None:
        super().__init__(logging.DEBUG)
        self._work = work

    def emit(self, record: logging.LogRecord) -> None:
        self._work.statements.append(str(record.args[0]) if record.args else record.getMessage())


@contextmanager
def watched(monkeypatch: Any) -> Iterator[Work]:
    """Counts statements and hashes for the time of the block."""
    work, verify = Work(), passwords._verify

    def counted(known: str, password: str) -> bool:
        work.hashes += 1
        return verify(known, password)

    monkeypatch.setattr(passwords, "_verify", counted)
    log = logging.getLogger("tortoise.db_client")
    handler, level, propagates = _Statements(work), log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield work
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagates
