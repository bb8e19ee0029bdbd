"""Settings: read once from the environment (`SUBMETER_*`), one frozen value, passed to `core.bootstrap`.

What the environment does not name may stand in a file `.env` of the folder that the program is started in.
Every setting has a default that suits a first try on one machine: an SQLite file and a secret key, both
in the data folder. With PostgreSQL the secret key must be given, since several workers have to share it.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from core import portal_urls
from core.document_settings import DocumentSettingError, DocumentSettings
from core.graphql_settings import GraphQLSettingError, GraphQLSettings
from core.retention_periods import RetentionPeriods, RetentionSettingError

T = TypeVar("T")
PREFIX = "SUBMETER_"
SQLITE_MAGIC = b"SQLite format 3\0"
SECRET_FILE = "secret.key"  # noqa: S105 - the name of the file, not a secret
OLD_SECRET_FILE = "secret.key.old"  # noqa: S105 - as above; it exists while `submeter secret rotate` is under way
MINIMUM_SECRET_CHARACTERS = 32
MOST_BATCH_LINES = 20_000
"""A batch's lines are looked up in one statement, and a statement has at most 32,767 parameters."""

DEFAULT_TOPICS = (
    *("wmbusmeters/#", "rtl_433/+/events", "submeter/v1/+/lines"),
    *("application/+/device/+/event/up", "v3/+/devices/+/up"),
)
"""What wmbusmeters, rtl_433, gateways of ours, ChirpStack v4 and The Things Stack v3 publish to."""

IN_MEMORY = "memory://"
"""Tries are counted in this process only."""

STARTTLS, TLS, PLAIN = SMTP_SECURITY = ("STARTTLS", "TLS", "PLAIN")
_SMTP_PORTS = {STARTTLS: 587, TLS: 465, PLAIN: 25}

ENV_FILE = ".env"
_QUOTED = re.compile(r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)")(?:\s+\#.*)?""")
"""A whole value in one pair of quotes, with or without a comment behind it."""

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
CONSOLE, JSON = LOG_FORMATS = ("CONSOLE", "JSON")

INGEST, OUTBOX, JOBS = WORK = ("ingest", "outbox", "jobs")
"""The kinds of work that a process may do beside serving requests."""


class SettingsError(Exception):
    """The environment does not describe an application that can be started; `field` names the variable."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the application.

    Attributes:
        data_dir: the folder of the embedded database, the secret key file and the demo's files.
        database_url: `sqlite:///path` or `postgresql://user:password@host:port/name`.
        secret_key: at least 32 characters; meter keys are encrypted with it. Never printed.
        secret_key_old: the one before, while `submeter secret rotate` is under way. Never printed.
        host, port: where `submeter serve` listens.
        session_lifetime: how long a sign-in lasts.
        message_retention: how long text and address are kept of a message that was sent or abandoned.
        audit_retention: how long an audit record is kept: one year to three.
        retention: how long readings and daily volumes are kept.
        cookie_secure: whether the session cookie is for HTTPS only; off only for a first try on loopback.
        intake_batch_lines: gateway lines that one transaction ingests.
        meters_in_memory: meters whose keys and description a worker keeps; about 1.5 KB each.
        limits_url: where tries are counted: `memory://` for one process, `redis://host:6379` for several.
        portal_url: where links in messages lead (`core.portal_urls`); it wins over the operators' profiles.
        operators, signing_dir: the folders of the operators' files, and of their certificates to sign with;
            None: `operators` and `signing` of the data folder.
        smtp_host, smtp_port: the server that e-mail goes to; without a host none is sent.
        smtp_security: STARTTLS, TLS, or PLAIN for a server on the same machine; smtp_username,
            smtp_password: both, or neither, the latter never printed.
        mail_from: the sender of e-mails, such as `Portail résident <portail@example.org>`.
        vonage_api_key, vonage_api_secret: the account that sends SMS; without it none is sent.
        sms_from: the sender of SMS: a number, or up to eleven letters and digits.
        log_level, log_format: a level of standard logging; CONSOLE for people, JSON for programs.
        metrics_address: `host:port` of `/metrics` and the health routes; without it there are no metrics.
        without: the kinds of work (`WORK`) that this process leaves to others.
        stop_seconds: how long a process that is stopped may take to finish what it has begun.
        mqtt_url: the broker that `submeter worker` takes telegrams from, if any. Never printed.
        mqtt_topics, mqtt_group: what it subscribes to; the shared subscription by which workers split it.
        mqtt_client_id: what the identifiers of its sessions begin with; empty for the machine's name.
        mqtt_gateway: whose telegrams they are: `operator/gateway`, SYSTEM for all, empty where there is one.
        spool_bytes: what `submeter ingest` keeps on disk of a pipe while the database is away.
        graphql: what the GraphQL API allows.
        documents: where deposited documents are stored, and how large they may be.
    """

    data_dir: Path
    database_url: str
    secret_key: str
    host: str = "127.0.0.1"
    port: int = 8000
    session_lifetime: timedelta = timedelta(days=30)
    message_retention: timedelta = timedelta(days=90)
    audit_retention: timedelta = timedelta(days=365)
    retention: RetentionPeriods = field(default_factory=RetentionPeriods)
    cookie_secure: bool = False
    intake_batch_lines: int = 20_000
    meters_in_memory: int = 500_000
    limits_url: str = IN_MEMORY
    portal_url: str = ""
    operators: Path | None = None
    signing_dir: Path | None = None
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = STARTTLS
    smtp_username: str = ""
    smtp_password: str = ""
    mail_from: str = ""
    vonage_api_key: str = ""
    vonage_api_secret: str = ""
    sms_from: str = "Submeter"
    log_level: str = "INFO"
    log_format: str = CONSOLE
    metrics_address: str = ""
    without: frozenset[str] = frozenset()
    stop_seconds: int = 20
    secret_key_old: str = ""
    mqtt_url: str = ""
    mqtt_topics: tuple[str, ...] = DEFAULT_TOPICS
    mqtt_group: str = "submeter"
    mqtt_client_id: str = ""
    mqtt_gateway: str = ""
    spool_bytes: int = 1 << 30
    graphql: GraphQLSettings = field(default_factory=GraphQLSettings)
    documents: DocumentSettings = field(default_factory=DocumentSettings)

    def __repr__(self) -> str:
        return f"Settings(data_dir={self.data_dir!r}, host={self.host!r}, port={self.port}, ...)"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")

    @property
    def operators_dir(self) -> Path:
        return self.operators or self.data_dir / "operators"

    @property
    def metrics_host_and_port(self) -> tuple[str, int] | None:
        """Where the metrics are served; None where they are not."""
        host, _, port = self.metrics_address.rpartition(":")
        return (host.strip("[]"), int(port)) if self.metrics_address else None


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, making the data folder and its secret key on the first run with SQLite.

    Args:
        environ: the variables; by default those of the process, and below them those of the file `.env`.

    Raises:
        SettingsError: a value cannot be read, or PostgreSQL is asked for without a secret key.
    """
    env = environment() if environ is None else environ
    data_dir = Path(env.get(f"{PREFIX}DATA_DIR") or ".submeter").absolute()
    database_url = env.get(f"{PREFIX}DATABASE_URL") or f"sqlite:///{data_dir / 'submeter.db'}"
    if not database_url.startswith(("sqlite:", "postgresql:", "postgres:")):
        raise SettingsError("must start with sqlite: or postgresql:", field=f"{PREFIX}DATABASE_URL")
    secret_key = env.get(f"{PREFIX}SECRET_KEY") or _secret_of(data_dir, database_url)
    secret_key_old = env.get(f"{PREFIX}SECRET_KEY_OLD") or _text_of(data_dir / OLD_SECRET_FILE)
    for name, secret in (("SECRET_KEY", secret_key), ("SECRET_KEY_OLD", secret_key_old)):
        if len(secret) < MINIMUM_SECRET_CHARACTERS and (secret or name == "SECRET_KEY"):
            raise SettingsError(
                f"needs at least {MINIMUM_SECRET_CHARACTERS} characters", field=f"{PREFIX}{name}"
            )
    security = _one_of(env, "SMTP_SECURITY", SMTP_SECURITY, STARTTLS)
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        secret_key=secret_key,
        host=env.get(f"{PREFIX}HOST") or "127.0.0.1",
        port=_whole_number(env, "PORT", 8000, at_most=65_535),
        session_lifetime=timedelta(days=_whole_number(env, "SESSION_DAYS", 30, at_most=400)),
        message_retention=timedelta(days=_whole_number(env, "MESSAGE_DAYS", 90, at_least=7, at_most=1_096)),
        audit_retention=timedelta(days=_whole_number(env, "AUDIT_DAYS", 365, at_least=365, at_most=1_096)),
        retention=_retention(env),
        cookie_secure=_switch(env, "COOKIE_SECURE"),
        intake_batch_lines=_whole_number(env, "INTAKE_BATCH_LINES", 20_000, at_most=MOST_BATCH_LINES),
        meters_in_memory=_whole_number(env, "METERS_IN_MEMORY", 500_000, at_most=10_000_000),
        limits_url=env.get(f"{PREFIX}LIMITS_URL") or IN_MEMORY,
        portal_url=_portal_url(env),
        operators=Path(folder).absolute() if (folder := env.get(f"{PREFIX}OPERATORS_DIR")) else None,
        signing_dir=Path(folder).absolute() if (folder := env.get(f"{PREFIX}SIGNING_DIR")) else None,
        smtp_host=env.get(f"{PREFIX}SMTP_HOST", ""),
        smtp_port=_whole_number(env, "SMTP_PORT", _SMTP_PORTS[security], at_most=65_535),
        smtp_security=security,
        smtp_username=env.get(f"{PREFIX}SMTP_USERNAME", ""),
        smtp_password=env.get(f"{PREFIX}SMTP_PASSWORD", ""),
        mail_from=env.get(f"{PREFIX}MAIL_FROM", ""),
        vonage_api_key=env.get(f"{PREFIX}VONAGE_API_KEY", ""),
        vonage_api_secret=env.get(f"{PREFIX}VONAGE_API_SECRET", ""),
        sms_from=env.get(f"{PREFIX}SMS_FROM") or "Submeter",
        log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS, "INFO"),
        log_format=_one_of(env, "LOG_FORMAT", LOG_FORMATS, CONSOLE),
        metrics_address=_address(env, "METRICS_ADDRESS"),
        without=_some_of(env, "WITHOUT", WORK),
        stop_seconds=_whole_number(env, "STOP_SECONDS", 20, at_most=3_600),
        secret_key_old=secret_key_old,
        mqtt_url=env.get(f"{PREFIX}MQTT_URL", "").strip(),
        mqtt_topics=tuple((env.get(f"{PREFIX}MQTT_TOPICS") or "").replace(",", " ").split())
        or DEFAULT_TOPICS,
        mqtt_group=(env.get(f"{PREFIX}MQTT_GROUP") or "submeter").strip(),
        mqtt_client_id=env.get(f"{PREFIX}MQTT_CLIENT_ID", "").strip(),
        mqtt_gateway=env.get(f"{PREFIX}MQTT_GATEWAY", "").strip(),
        spool_bytes=_whole_number(env, "SPOOL_BYTES", 1 << 30, at_least=1 << 20, at_most=1 << 50),
        graphql=_part(env, "GRAPHQL", GraphQLSettings.of),
        documents=_part(env, "DOCUMENTS", DocumentSettings.of),
    )
    _check_post(settings)
    return settings


def environment() -> dict[str, str]:
    """The variables that a process is started with: the file `.env`, and the environment, which wins."""
    return {**_of_file(Path(ENV_FILE)), **os.environ}


def _of_file(path: Path) -> dict[str, str]:
    r"""The variables of a file of lines `NAME=value`, each value as it is written.

    Nothing in a value is expanded or cut: `$`, `#`, quotes, backslashes and spaces are characters like any
    other. That is why no library reads it: python-dotenv cuts at ` #` and leaves out what it cannot read.
    One pair of quotes around the whole is taken off; between double quotes `\"` is a quote, `\\` a
    backslash.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        return {}
    except UnicodeDecodeError:
        raise SettingsError("is not UTF-8", field=str(path)) from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        name, equals, written = line.partition("=")
        name = name.strip().removeprefix("export ").lstrip()
        if not name.startswith(PREFIX):  # a comment, or another program's
            continue
        if not equals:
            raise SettingsError(f"has no NAME=value in line {number}", field=str(path))
        found[name] = _unquoted(written.strip())
    return found


def _unquoted(written: str) -> str:
    quoted = _QUOTED.fullmatch(written)
    if quoted is None:
        return written
    single, double = quoted.groups()
    return re.sub(r"""\\(["\\])""", r"\1", double) if single is None else single


def _check_post(settings: Settings) -> None:
    """Check that settings which require one another are set together."""
    together = (
        ("SMTP_PASSWORD", settings.smtp_password, "SMTP_USERNAME", settings.smtp_username),
        ("SMTP_USERNAME", settings.smtp_username, "SMTP_PASSWORD", settings.smtp_password),
        ("MAIL_FROM", settings.mail_from, "SMTP_HOST", settings.smtp_host),
        ("VONAGE_API_SECRET", settings.vonage_api_secret, "VONAGE_API_KEY", settings.vonage_api_key),
        ("VONAGE_API_KEY", settings.vonage_api_key, "VONAGE_API_SECRET", settings.vonage_api_secret),
    )
    for name, value, other, given in together:
        if given and not value:
            raise SettingsError(f"must be set where {PREFIX}{other} is", field=f"{PREFIX}{name}")


def _secret_of(data_dir: Path, database_url: str) -> str:
    """The secret of the data folder; made on the first run, and never beside a database that has one
    already.

    What another secret encrypted would be lost without a word, so a file that is missing stops the start.
    """
    if not database_url.startswith("sqlite:"):
        raise SettingsError(
            "must be set when the database is not the embedded one", field=f"{PREFIX}SECRET_KEY"
        )
    path, database = data_dir / SECRET_FILE, Path(sqlite_path(database_url))
    is_used = _is_sqlite(database)  # asked first: a secret is made before a database
    if not path.exists():
        if is_used:
            raise SettingsError(
                f"is not set, and {path} is missing, while the database {database} exists: restore the file,"
                " or set the secret that the database was used with (docs/operations.md)",
                field=f"{PREFIX}SECRET_KEY",
            )
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path)
    return _text_of(path)


def _is_sqlite(path: Path) -> bool:
    """Whether it is a database, by its first bytes (sqlite.org/fileformat2.html, 1.3.1)."""
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError:
        return False


def sqlite_path(url: str) -> str:
    """`sqlite:///relative.db` and `sqlite:////absolute.db`, as SQLAlchemy writes them."""
    path = url.removeprefix("sqlite:").removeprefix("//").removeprefix("/")
    if not path:
        raise SettingsError("names no file", field=f"{PREFIX}DATABASE_URL")
    return path if not url.startswith("sqlite:////") else f"/{path.lstrip('/')}"


def _text_of(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def write_secret(path: Path) -> None:
    """Make the file atomically: two processes that start at once read the same secret."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()


def _one_of(env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    chosen = (env.get(f"{PREFIX}{name}") or default).strip().upper()
    if chosen not in choices:
        raise SettingsError(f"must be one of {', '.join(choices)}", field=f"{PREFIX}{name}")
    return chosen


def _some_of(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> frozenset[str]:
    """Names with commas or spaces between them."""
    chosen = frozenset((env.get(f"{PREFIX}{name}") or "").replace(",", " ").lower().split())
    if chosen.difference(choices):
        raise SettingsError(f"may name {', '.join(choices)} only", field=f"{PREFIX}{name}")
    return chosen


def _address(env: Mapping[str, str], name: str) -> str:
    """`host:port`, where the host of IPv6 is in brackets; or nothing."""
    text = (env.get(f"{PREFIX}{name}") or "").strip()
    host, _, port = text.rpartition(":")
    if text and not (host and port.isdecimal() and 0 < int(port) <= 65_535):
        raise SettingsError("must be host:port", field=f"{PREFIX}{name}")
    return text


def _whole_number(env: Mapping[str, str], name: str, default: int, *, at_least: int = 1, at_most: int) -> int:
    text = env.get(f"{PREFIX}{name}")
    if text is None or not text.strip():
        return default
    if not text.strip().isdecimal() or not at_least <= int(text) <= at_most:
        raise SettingsError(f"must be a whole number from {at_least} to {at_most}", field=f"{PREFIX}{name}")
    return int(text)


def _part(env: Mapping[str, str], group: str, read: Callable[[Mapping[str, str]], T]) -> T:
    """The settings of a part that has a module of its own, from the variables of its group."""
    prefix = f"{PREFIX}{group}_"
    given = {name.removeprefix(prefix): text for name, text in env.items() if name.startswith(prefix)}
    try:
        return read(given)
    except (DocumentSettingError, GraphQLSettingError) as failure:
        raise SettingsError(failure.message, field=f"{prefix}{failure.name}") from None


def _retention(env: Mapping[str, str]) -> RetentionPeriods:
    given = {name.removeprefix(PREFIX): text for name, text in env.items() if name.startswith(PREFIX)}
    try:
        return RetentionPeriods.of(given)
    except RetentionSettingError as failure:
        raise SettingsError(failure.message, field=f"{PREFIX}{failure.name}") from None


def _portal_url(env: Mapping[str, str]) -> str:
    try:
        return portal_urls.checked(env.get(f"{PREFIX}PORTAL_URL") or "")
    except ValueError as failure:
        raise SettingsError(str(failure), field=f"{PREFIX}PORTAL_URL") from None


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = env.get(f"{PREFIX}{name}", "no").strip().lower()
    if text not in {"yes", "no", "true", "false", "1", "0", ""}:
        raise SettingsError("must be yes or no", field=f"{PREFIX}{name}")
    return text in {"yes", "true", "1"}
