"""`submeter residences`: the three conditions of sign-up, and what goes out on paper."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

ADD = ("residences", "add", "ocea", "OCEA", "AA000", "Les Tilleuls", "1 place", "92400", "Courbevoie")
OF = ("ocea", "AA000")


@pytest.fixture
def state(data_dir: Path) -> Any:
    """Reads what decides whether residents may register: remote reading, option, publication."""

    def read() -> tuple[bool, bool, bool]:
        with closing(sqlite3.connect(data_dir / "submeter.db")) as database:
            columns = "remote_reading, resident_portal_option, published_at IS NOT NULL"
            (row,) = database.execute(f"SELECT {columns} FROM residence").fetchall()
        return bool(row[0]), bool(row[1]), bool(row[2])

    return read


@pytest.mark.requirement("C-11", "R-129", "R-155")
def test_each_condition_of_sign_up_is_set_by_itself(run: Any, tables: Any, state: Any) -> None:
    """Both hold for a new residence, are changed one by one, and are unchanged when it is described again."""
    assert run(*ADD).returncode == 0
    assert state() == (True, True, False)
    assert run(*ADD, "--no-portal-option").returncode == 0
    assert state() == (True, False, False)
    assert run(*ADD, "--no-remote-reading").returncode == 0
    assert state() == (False, False, False)
    assert run(*ADD).returncode == 0
    assert state() == (False, False, False)
    assert run(*ADD, "--portal-option", "--remote-reading").returncode == 0
    assert state() == (True, True, False)


@pytest.mark.requirement("C-09")
def test_a_publication_is_ended(run: Any, tables: Any, state: Any) -> None:
    """Published, unpublished, and nothing left to unpublish; an unknown residence is one line of error."""
    run(*ADD)
    run("residences", "publish", *OF, "--without-data")
    assert state()[2]
    ended = run("residences", "unpublish", *OF)
    assert (ended.returncode, ended.stdout) == (0, "Residence AA000 is no longer published.\n")
    assert not state()[2]
    assert run("residences", "unpublish", *OF).stdout == "Residence AA000 is not published.\n"
    assert run("residences", "unpublish", "ocea", "ZZ999").returncode == 1


@pytest.mark.requirement("R-018", "R-040")
def test_a_flyer_is_written(run: Any, tables: Any, tmp_path: Path) -> None:
    """A PDF with the code; certificates only where somebody is reached on paper."""
    run(*ADD)
    file = tmp_path / "flyer.pdf"
    assert run("residences", "flyer", *OF, str(file), "--language", "en").returncode == 0
    (page,) = PdfReader(io.BytesIO(file.read_bytes())).pages
    assert "AA000" in page.extract_text()
    refused = run("residences", "certificates", *OF, str(tmp_path / "certificates.pdf"))
    assert refused.returncode == 1
    assert "Every occupant" in refused.stderr
    assert not (tmp_path / "certificates.pdf").exists()
