"""What a check of an installation found: a value that is printed as a line, or as JSON."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """OK; WARN: it works, and should be looked at; FAIL: it does not work."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: what was checked.
        level: how it is.
        what: a sentence about it, without secrets.
        advice: what to do; empty where nothing is to be done.
    """

    check: str
    level: Level
    what: str
    advice: str = ""


def ok(check: str, what: str) -> Finding:
    return Finding(check, Level.OK, what)


def warn(check: str, what: str, advice: str) -> Finding:
    return Finding(check, Level.WARN, what, advice)


def failed(check: str, what: str, advice: str) -> Finding:
    return Finding(check, Level.FAIL, what, advice)
