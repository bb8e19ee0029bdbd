"""A pytest plugin that prints which requirements no test names; `make requirements` loads it.

The requirements are the rows R-… and C-… of ../shared/domain/requirements.md; a test names those it proves
with `@pytest.mark.requirement(...)`.
"""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "shared" / "domain" / "requirements.md"
ROW = re.compile(r"^\| ([RC]-\d+)", re.MULTILINE)


def pytest_collection_finish(session: pytest.Session) -> None:
    named: dict[str, int] = {}
    for item in session.items:
        for marker in item.iter_markers("requirement"):
            for requirement in marker.args:
                named[requirement] = named.get(requirement, 0) + 1
    print()
    if not SOURCE.exists():
        print(f"{len(named)} requirements are named by tests; the list itself is absent ({SOURCE.name}).")
        return
    rows = dict.fromkeys(
        match.group(1)
        for line in SOURCE.read_text(encoding="utf-8").splitlines()
        if (match := ROW.match(line))
    )
    for requirement in rows:
        if requirement not in named:
            print(requirement)
    covered = sum(requirement in named for requirement in rows)
    print(f"{covered} of {len(rows)} requirements are named by a test.")
    unknown = sorted(set(named) - set(rows))
    if unknown:
        raise pytest.UsageError(f"no such requirement: {', '.join(unknown)}")
