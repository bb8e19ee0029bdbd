"""Settings: the environment as one frozen value."""

import contextlib
import os
import stat
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import SECRET_FILE, Settings, SettingsError, from_environment

SECRET = "a secret of at least thirty-two characters"
POSTGRESQL = "postgresql://user:word@db.example.org:5433/submeter"


def read(tmp_path, **variables):
    return from_environment({"SUBMETER_DATA_DIR": str(tmp_path), **variables})


def test_without_settings_an_application_can_be_started(tmp_path) -> None:
    """An SQLite file and a secret in the data folder, served on loopback."""
    settings = read(tmp_path)
    assert settings == Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'submeter.db'}",
        secret_key=(tmp_path / SECRET_FILE).read_text(),
    )
    assert settings.is_sqlite
    assert (settings.host, settings.port, settings.cookie_secure) == ("127.0.0.1", 8000, False)


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path) -> None:
    """Nobody else may read the file, and the next start finds the same secret."""
    folder = tmp_path / "new"
    first = read(folder)
    assert stat.S_IMODE((folder / SECRET_FILE).stat().st_mode) == 0o600
    assert read(folder).secret_key == first.secret_key
    assert [path.name for path in folder.iterdir()] == [SECRET_FILE]


def test_each_variable_is_read(tmp_path) -> None:
    """All of them by their names."""
    settings = read(
        tmp_path,
        SUBMETER_DATABASE_URL=POSTGRESQL,
        SUBMETER_SECRET_KEY=SECRET,
        SUBMETER_HOST="0.0.0.0",
        SUBMETER_PORT="9000",
        SUBMETER_SESSION_DAYS="7",
        SUBMETER_MESSAGE_DAYS="7",
        SUBMETER_AUDIT_DAYS="1096",
        SUBMETER_COOKIE_SECURE="yes",
        SUBMETER_INTAKE_BATCH_LINES="500",
        SUBMETER_LIMITS_URL="redis://counters.example.org:6379",
        SUBMETER_PORTAL_URL="https://portal.example.org/",
        SUBMETER_SMTP_HOST="mail.example.org",
        SUBMETER_SMTP_SECURITY="tls",
        SUBMETER_SMTP_USERNAME="portal",
        SUBMETER_SMTP_PASSWORD="word",
        SUBMETER_MAIL_FROM="Portail <portail@example.org>",
        SUBMETER_VONAGE_API_KEY="key",
        SUBMETER_VONAGE_API_SECRET="word",
        SUBMETER_SMS_FROM="Eau",
        SUBMETER_LOG_LEVEL="debug",
        SUBMETER_LOG_FORMAT="json",
        SUBMETER_METRICS_ADDRESS="[::1]:9464",
        SUBMETER_WITHOUT="jobs, outbox",
        SUBMETER_STOP_SECONDS="5",
        SUBMETER_SECRET_KEY_OLD=SECRET[::-1],
        SUBMETER_MQTT_URL="mqtts://gateways:word@broker.example.org",
        SUBMETER_MQTT_TOPICS="wmbusmeters/#, plant/+/lines",
        SUBMETER_MQTT_GROUP="east",
        SUBMETER_MQTT_CLIENT_ID="east-a",
        SUBMETER_MQTT_GATEWAY="ocea/roof",
        SUBMETER_SPOOL_BYTES="2000000",
    )
    assert settings == Settings(
        data_dir=tmp_path,
        database_url=POSTGRESQL,
        secret_key=SECRET,
        host="0.0.0.0",
        port=9000,
        session_lifetime=timedelta(days=7),
        message_retention=timedelta(days=7),
        audit_retention=timedelta(days=1096),
        cookie_secure=True,
        intake_batch_lines=500,
        mqtt_url="mqtts://gateways:word@broker.example.org",
        mqtt_topics=("wmbusmeters/#", "plant/+/lines"),
        mqtt_group="east",
        mqtt_client_id="east-a",
        mqtt_gateway="ocea/roof",
        spool_bytes=2_000_000,
        limits_url="redis://counters.example.org:6379",
        portal_url="https://portal.example.org",
        smtp_host="mail.example.org",
        smtp_port=465,
        smtp_security="TLS",
        smtp_username="portal",
        smtp_password="word",
        mail_from="Portail <portail@example.org>",
        vonage_api_key="key",
        vonage_api_secret="word",
        sms_from="Eau",
        log_level="DEBUG",
        log_format="JSON",
        metrics_address="[::1]:9464",
        without=frozenset({"jobs", "outbox"}),
        stop_seconds=5,
        secret_key_old=SECRET[::-1],
    )
    assert settings.metrics_host_and_port == ("::1", 9464)
    assert not settings.is_sqlite
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/x"),
        ("SECRET_KEY", "short"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("SESSION_DAYS", "0"),
        ("SESSION_DAYS", "401"),
        ("SESSION_DAYS", "1.5"),
        ("MESSAGE_DAYS", "6"),
        ("MESSAGE_DAYS", "1097"),
        ("AUDIT_DAYS", "364"),
        ("AUDIT_DAYS", "1097"),
        ("COOKIE_SECURE", "perhaps"),
        ("INTAKE_BATCH_LINES", "0"),
        ("INTAKE_BATCH_LINES", "20001"),
        ("LOG_LEVEL", "CHATTY"),
        ("SPOOL_BYTES", "1000"),
        ("LOG_FORMAT", "XML"),
        ("METRICS_ADDRESS", "9464"),
        ("METRICS_ADDRESS", "127.0.0.1"),
        ("METRICS_ADDRESS", "127.0.0.1:http"),
        ("METRICS_ADDRESS", "127.0.0.1:70000"),
        ("METRICS_ADDRESS", ":9464"),
        ("WITHOUT", "everything"),
        ("STOP_SECONDS", "0"),
        ("SECRET_KEY_OLD", "short"),
        ("SMTP_SECURITY", "SSL"),
        ("SMTP_PORT", "0"),
    ],
)
def test_an_invalid_value_is_reported_by_its_name(tmp_path, name, value) -> None:
    """The message begins with the variable; a secret is not quoted."""
    with pytest.raises(SettingsError, match=f"^SUBMETER_{name} ") as refused:
        read(tmp_path, **{f"SUBMETER_{name}": value})
    assert refused.value.field == f"SUBMETER_{name}"


@pytest.mark.parametrize(
    "name",
    [
        "HOST",
        "PORT",
        "SESSION_DAYS",
        "LOG_LEVEL",
        "DATABASE_URL",
        "COOKIE_SECURE",
        "LIMITS_URL",
        "PORTAL_URL",
        "SMTP_HOST",
        "SMTP_PORT",
        "SMTP_SECURITY",
        "SMS_FROM",
        "MQTT_URL",
        "MQTT_TOPICS",
        "MQTT_GROUP",
        "SPOOL_BYTES",
    ],
)
def test_an_empty_variable_counts_as_unset(tmp_path, name) -> None:
    """Container files set variables to nothing."""
    assert read(tmp_path, **{f"SUBMETER_{name}": ""}) == read(tmp_path)


def test_postgresql_requires_a_configured_secret(tmp_path) -> None:
    """Several workers must share it, so none is generated."""
    with pytest.raises(SettingsError, match="SUBMETER_SECRET_KEY must be set"):
        read(tmp_path, SUBMETER_DATABASE_URL=POSTGRESQL)
    assert not (tmp_path / SECRET_FILE).exists()


def test_the_environment_is_read_where_none_is_given(tmp_path, monkeypatch) -> None:
    """And a relative data folder is taken from where the command runs."""
    monkeypatch.setenv("SUBMETER_DATA_DIR", "application")
    monkeypatch.chdir(tmp_path)
    assert from_environment().data_dir == Path.cwd() / "application"


def test_settings_do_not_print_secrets(tmp_path) -> None:
    """Neither the secret key nor the password in a database's URL."""
    settings = read(tmp_path, SUBMETER_DATABASE_URL=POSTGRESQL, SUBMETER_SECRET_KEY=SECRET)
    assert SECRET not in repr(settings)
    assert "word" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("SMTP_USERNAME", "SMTP_PASSWORD"),
        ("SMTP_PASSWORD", "SMTP_USERNAME"),
        ("SMTP_HOST", "MAIL_FROM"),
        ("VONAGE_API_KEY", "VONAGE_API_SECRET"),
        ("VONAGE_API_SECRET", "VONAGE_API_KEY"),
    ],
)
def test_settings_that_depend_on_each_other_are_required_together(tmp_path, given, missing) -> None:
    """The missing variable is named, and the one that requires it."""
    with pytest.raises(SettingsError, match=f"^SUBMETER_{missing} must be set where SUBMETER_{given} is$"):
        read(tmp_path, **{f"SUBMETER_{given}": "word"})


@pytest.mark.parametrize(("security", "port"), [("", 587), ("STARTTLS", 587), ("tls", 465), ("plain", 25)])
def test_the_mail_port_goes_with_its_security(tmp_path, security, port) -> None:
    """Unless another is given."""
    assert read(tmp_path, SUBMETER_SMTP_SECURITY=security).smtp_port == port
    assert read(tmp_path, SUBMETER_SMTP_SECURITY=security, SUBMETER_SMTP_PORT="2525").smtp_port == 2525


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    """Writes the file `.env` of the folder that the program is started in; answers the settings."""
    for name in list(os.environ):
        if name.startswith("SUBMETER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def written(text: str, encoding: str = "utf-8") -> Settings:
        (tmp_path / ".env").write_text(text, encoding=encoding)
        return from_environment()

    return written


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("pa$$word", "pa$$word"),
        ("$HOME ${HOME} $(id) `id`", "$HOME ${HOME} $(id) `id`"),
        ("a#b #c # d", "a#b #c # d"),
        ("#first", "#first"),
        ("""it's "so" """, """it's "so\""""),
        (""""quoted" word""", """"quoted" word"""),
        ('"not closed', '"not closed'),
        ("'", "'"),
        (r"back\slash\n\\", r"back\slash\n\\"),
        ("a=b==", "a=b=="),
        ("50%25 %s {x}", "50%25 %s {x}"),
        ("été 水 🚰", "été 水 🚰"),
        ("  spaces around\t", "spaces around"),
        ("'  spaces kept  '", "  spaces kept  "),
        ("'single $x #1 \"2\" \\'", 'single $x #1 "2" \\'),
        (r'''"double $x #1 '2' \"3\" \\ \n"''', r"""double $x #1 '2' "3" \ \n"""),
        ("'quoted' # and a comment", "quoted"),
        ("''", ""),
        ("", ""),
    ],
)
def test_a_value_of_the_file_is_taken_as_it_is_written(env_file, written, read_as) -> None:
    """Nothing is expanded, cut or unescaped; a pair of quotes around the whole is taken off."""
    assert env_file(f"SUBMETER_SMTP_HOST={written}\nSUBMETER_MAIL_FROM=a@b\n").smtp_host == read_as


@given(value=st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1))
def test_any_text_can_be_written_between_quotes(value) -> None:
    """Double ones, with a backslash before each quote and backslash of the value's own."""
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    others = {name: one for name, one in os.environ.items() if not name.startswith("SUBMETER_")}
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        patch.dict(os.environ, others, clear=True),
    ):
        Path(".env").write_text(f'SUBMETER_HOST="{escaped}"\n', encoding="utf-8")
        assert from_environment().host == value


def test_the_file_is_lines_of_names_and_values(env_file, tmp_path) -> None:
    """Comments, empty lines, `export`, another's variables and a Windows editor's marks are no trouble."""
    settings = env_file(
        "\ufeff# a comment\r\n\r\nexport SUBMETER_HOST=10.0.0.1\r\n  SUBMETER_PORT = 9000\r\n"
        "#SUBMETER_SMS_FROM=Eau\r\nOTHER=$x\r\na line of another program\r\nSUBMETER_PORT=9001"
    )
    assert (settings.host, settings.port, settings.sms_from) == ("10.0.0.1", 9001, "Submeter")
    assert settings.data_dir == tmp_path / ".submeter"


def test_the_environment_wins_over_the_file(env_file, monkeypatch) -> None:
    """Even where it sets a variable to nothing, which is the default then; the file does not leak into it."""
    monkeypatch.setenv("SUBMETER_HOST", "10.0.0.2")
    monkeypatch.setenv("SUBMETER_SMS_FROM", "")
    settings = env_file("SUBMETER_HOST=10.0.0.1\nSUBMETER_SMS_FROM=Eau\nSUBMETER_PORT=9000\n")
    assert (settings.host, settings.sms_from, settings.port) == ("10.0.0.2", "Submeter", 9000)
    assert "SUBMETER_PORT" not in os.environ


def test_given_variables_are_all_that_is_read(env_file, tmp_path) -> None:
    """Who hands over an environment is not surprised by a file."""
    env_file("SUBMETER_PORT=9000\n")
    assert read(tmp_path).port == 8000


def test_a_file_that_cannot_be_read_is_reported_by_its_line(env_file, tmp_path) -> None:
    """And what stands in it, which may be a secret, is not quoted."""
    with pytest.raises(SettingsError, match=r"^\.env has no NAME=value in line 2$"):
        env_file("SUBMETER_PORT=9000\nSUBMETER_SECRET_KEY: word\n")
    with pytest.raises(SettingsError, match=r"^\.env is not UTF-8$"):
        env_file("SUBMETER_SMS_FROM=été\n", encoding="latin-1")
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    assert from_environment().port == 8000
