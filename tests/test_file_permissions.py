"""Permissions of files: what is stored is for its owner alone, and what was not is tightened at the start."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from core.bootstrap import migrate, open_application
from core.services.shared.transaction import current_database
from core.settings import SECRET_FILE, Settings, SettingsError, from_environment


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def loose_umask():
    """What many systems have: new files can be read by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    return from_environment({"SUBMETER_DATA_DIR": str(tmp_path / "data"), "SUBMETER_LOG_LEVEL": "WARNING"})


async def test_a_new_installation_is_for_its_owner_alone(loose_umask, embedded, caplog) -> None:
    """The folder 0700; the secret, the database and the files that SQLite lays beside it 0600."""
    await migrate(embedded)
    async with open_application(embedded):
        await current_database().execute_script("PRAGMA journal_mode = WAL")
        await current_database().execute_query("DELETE FROM periodic_job")
        found = {path.name: mode(path) for path in embedded.data_dir.iterdir()}
    assert mode(embedded.data_dir) == 0o700
    assert found.keys() >= {SECRET_FILE, "submeter.db", "submeter.db-wal", "submeter.db-shm"}
    assert set(found.values()) == {0o600}
    assert "mode" not in caplog.text


async def test_what_was_looser_is_tightened_and_reported(loose_umask, embedded, caplog) -> None:
    """An installation of an earlier version, at its next start; and only once."""
    await migrate(embedded)
    embedded.data_dir.chmod(0o755)
    for path in embedded.data_dir.iterdir():
        path.chmod(0o644)
    async with open_application(embedded):
        pass
    assert mode(embedded.data_dir) == 0o700
    assert {mode(path) for path in embedded.data_dir.iterdir()} == {0o600}
    assert f"{embedded.data_dir} had the mode 0755 and has 0700 now." in caplog.text
    caplog.clear()
    async with open_application(embedded):
        pass
    assert caplog.text == ""


async def test_a_folder_that_is_not_ours_is_left_as_it_is(loose_umask, embedded, tmp_path) -> None:
    """A database may be in a folder that others use; the file itself is tightened all the same."""
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    elsewhere = replace(embedded, database_url=f"sqlite:///{shared / 'homes.db'}")
    await migrate(elsewhere)
    async with open_application(elsewhere):
        pass
    assert (mode(shared), mode(shared / "homes.db")) == (0o755, 0o600)


async def test_a_data_folder_without_anything_of_ours_is_left_as_it_is(tmp_path, settings) -> None:
    """With PostgreSQL it may be any folder, such as the one that the process is started in."""
    if settings.is_sqlite:
        return
    folder = tmp_path / "anything"
    folder.mkdir(mode=0o755)
    async with open_application(replace(settings, data_dir=folder)):
        pass
    assert mode(folder) == 0o755


async def test_a_missing_secret_beside_a_database_stops_the_start(embedded) -> None:
    """With the reason and both paths; no new secret is made, and with the file restored it starts."""
    await migrate(embedded)
    path = embedded.data_dir / SECRET_FILE
    secret = path.read_text(encoding="ascii")
    path.unlink()
    environment = {"SUBMETER_DATA_DIR": str(embedded.data_dir)}
    with pytest.raises(
        SettingsError, match=r"secret\.key is missing, while the database .*submeter\.db exists"
    ):
        from_environment(environment)
    assert not path.exists()
    assert from_environment({**environment, "SUBMETER_SECRET_KEY": secret}).secret_key == secret
    path.write_text(secret, encoding="ascii")
    assert from_environment(environment).secret_key == secret


def test_a_missing_secret_beside_a_database_elsewhere_stops_the_start_too(tmp_path, sqlite_template) -> None:
    """Wherever the URL says that the database is."""
    with pytest.raises(SettingsError, match="SUBMETER_SECRET_KEY is not set"):
        from_environment(
            {
                "SUBMETER_DATA_DIR": str(tmp_path / "new"),
                "SUBMETER_DATABASE_URL": f"sqlite:///{sqlite_template}",
            }
        )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", [b"", b"no database at all"])
def test_a_file_that_is_no_database_holds_nothing_that_a_secret_would_open(tmp_path, content) -> None:
    """An empty file is what an interrupted first start leaves."""
    (tmp_path / "submeter.db").write_bytes(content)
    assert from_environment({"SUBMETER_DATA_DIR": str(tmp_path)}).secret_key
