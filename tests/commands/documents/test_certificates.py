"""`submeter certificates`: made once for an operator that exists, shown, never replaced."""

import stat
from pathlib import Path
from typing import Any

import pytest

from core.documents.signing import make_identity
from core.file_permissions import too_open
from core.settings import from_environment
from submeter.commands.operation.local_checks import SOON, signing
from tests.support.factories import NOW


@pytest.fixture
def acme(run: Any, tables: None, data_dir: Path) -> Path:
    """The file of the certificate of an operator that was just added; it is not there yet."""
    import asyncio  # noqa: PLC0415 - only this fixture is no command

    from core.access import SYSTEM  # noqa: PLC0415
    from core.bootstrap import open_application  # noqa: PLC0415
    from core.services.portfolio.portfolio import upsert_operator  # noqa: PLC0415

    async def add() -> None:
        settings = from_environment({"SUBMETER_DATA_DIR": str(data_dir), "SUBMETER_LOG_LEVEL": "WARNING"})
        async with open_application(settings):
            await upsert_operator(SYSTEM, code="acme", name="Acme Eau")

    asyncio.run(add())
    return data_dir / "signing" / "acme.p12"


def test_a_certificate_is_made_once_and_shown(run: Any, acme: Path) -> None:
    """For its owner alone; the second call leaves it, and both name the same fingerprint as `show`."""
    made = run("certificates", "create", "acme", "--years", "3")
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(acme.stat().st_mode) == 0o600
    content = acme.read_bytes()
    again, shown = run("certificates", "create", "acme"), run("certificates", "show", "acme")
    assert acme.read_bytes() == content
    assert "was left as it is" in " ".join(again.stdout.split())
    fingerprints = {answer.stdout.split()[-1] for answer in (made, again, shown)}
    assert len(fingerprints) == 1
    assert len(fingerprints.pop()) == 64
    assert "Acme Eau, valid until" in shown.stdout


def test_what_cannot_be_is_refused(run: Any, acme: Path) -> None:
    """No such operator, none made yet, too many years."""
    for arguments, code in (
        (("create", "nobody"), "NOT_FOUND"),
        (("show", "nobody"), "NOT_FOUND"),
        (("show", "acme"), "SIGNATURE_UNAVAILABLE"),
        (("create", "acme", "--years", "0"), "INVALID_INPUT"),
        (("create", "acme", "--years", "11"), "INVALID_INPUT"),
    ):
        answer = run("certificates", *arguments)
        assert (answer.returncode, code in answer.stderr) == (1, True), (arguments, answer.stderr)
    assert not acme.exists()


def test_a_key_that_others_could_read_is_tightened(acme: Path, data_dir: Path) -> None:
    """As the secret of the data folder is."""
    make_identity(acme, "Acme Eau", now=NOW)
    acme.with_suffix(".passphrase").write_text("x")
    settings = from_environment({"SUBMETER_DATA_DIR": str(data_dir)})
    for path in (acme, acme.with_suffix(".passphrase")):
        path.chmod(0o644)
    acme.parent.chmod(0o755)
    loose = {path for path, _ in too_open(settings)}
    assert {acme, acme.with_suffix(".passphrase"), acme.parent} <= loose


def test_the_doctor_says_who_can_sign(acme: Path, data_dir: Path) -> None:
    """Nobody; until when; soon no more; no more; a file that is none."""
    settings = from_environment({"SUBMETER_DATA_DIR": str(data_dir)})
    assert [one.level.value for one in signing(settings, NOW)] == ["WARN"]
    make_identity(acme, "Acme Eau", now=NOW, valid_for=2 * SOON)
    found = [
        (one.level.value, one.what)
        for days in (0, 1, 2)
        for one in signing(settings, NOW + days * SOON + days * (SOON / 60))
    ]
    assert [level for level, _ in found] == ["OK", "WARN", "WARN"]
    assert "signs until" in found[0][1]
    assert "expires on" in found[1][1]
    assert "is valid from" in found[2][1]
    acme.write_bytes(b"none")
    assert [one.level.value for one in signing(settings, NOW)] == ["WARN"]
