"""A pytest plugin that prints which requirements no test names; `make requirements` loads it.

The requirements are the rows R-… and C-… of ../shared/domain/requirements.md; a test names those it proves
with `@pytest.mark.requirement(...)`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "shared" / "domain" / "requirements.md"
ONLY_A_PAGE: Mapping[str, str] = MappingProxyType(
    {
        "R-001": "the guide's own title",
        "R-002": "a slogan",
        "R-003": "the guide's table of contents; each of its screens has rows of its own",
        "R-004": "a resident's quoted praise",
        "R-005": "how a page looks and feels",
        "R-006": "the size of a screen; the API knows of none",
        "R-013": "a slogan",
        "R-018": "a flyer on paper",
        "R-019": "a link on the company's public site",
        "R-078": "a page's menu",
        "R-108": "where a page has its button",
        "R-123": "marketing figures",
        "R-126": "certificates in a page's footer",
        "R-128": "to whom the guide is addressed",
        "R-142": "a QR code on paper",
        "R-144": "a flyer on paper",
        "R-199": "icons beside options; their words are the fields' own",
        "C-28": "the garbled heading of a printed table",
        "C-36": "a page's menu",
    }
)
"""What no backend can meet, and why; a test that named one would prove nothing."""

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
        if requirement not in named and requirement not in ONLY_A_PAGE:
            print(requirement)
    for requirement, reason in ONLY_A_PAGE.items():
        print(f"{requirement} is for a page or paper alone: {reason}")
    covered = sum(requirement in named for requirement in rows)
    print(
        f"{covered} of {len(rows)} requirements are named by a test, {len(ONLY_A_PAGE)} are for a page alone."
    )
    unknown = sorted((set(named) | set(ONLY_A_PAGE)) - set(rows))
    both = sorted(set(named) & set(ONLY_A_PAGE))
    if both:
        raise pytest.UsageError(f"named by a test, and said to be for a page alone: {', '.join(both)}")
    if unknown:
        raise pytest.UsageError(f"no such requirement: {', '.join(unknown)}")
