"""Checks of this machine: settings that do not fit each other, files, free space, drivers."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from core.documents.signing import SigningUnavailable, identity_at
from core.file_permissions import signing_folder, too_open
from core.metering import DriverConflict, load_registry
from core.metering.conformance import installed_plugins, run_checks, subjects_of
from core.settings import IN_MEMORY, OLD_SECRET_FILE, Settings, sqlite_path
from submeter.commands.operation.findings import Finding, failed, ok, warn

FEW_CONTENTS = 50
"""`submeter drivers check` tries more; here a driver is only seen to work."""

LOW_BYTES, TOO_LOW_BYTES = 2 << 30, 200 << 20
SOON = timedelta(days=60)
"""An authority takes weeks to issue a certificate."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def settings_checks(settings: Settings) -> Iterator[Finding]:
    """Settings that can be read, but that an operator would not want."""
    found = list(_doubts(settings))
    yield from found or [ok("settings", "they can be used.")]


def _doubts(settings: Settings) -> Iterator[Finding]:
    if "https:" in settings.portal_url and not settings.cookie_secure:
        yield warn(
            "settings",
            "the portal is served over HTTPS, and its cookie would be sent without.",
            "Set SUBMETER_COOKIE_SECURE=yes.",
        )
    if not settings.is_sqlite and settings.limits_url == IN_MEMORY:
        yield warn(
            "settings",
            "each process counts wrong passwords by itself.",
            "With several processes, set SUBMETER_LIMITS_URL to a shared store.",
        )
    if not settings.is_sqlite and "sslmode=" not in settings.database_url and not _is_local(settings):
        yield warn(
            "settings",
            "the connection to the database may be unencrypted.",
            "Add ?sslmode=verify-full to SUBMETER_DATABASE_URL.",
        )
    if settings.secret_key_old:
        yield warn(
            "settings",
            "a secret key of before is at hand: a rotation has begun.",
            "Run `submeter secret rotate` to its end; then remove the old key.",
        )
    if (address := settings.metrics_host_and_port) and address[0] not in LOOPBACK:
        yield warn(
            "settings",
            f"metrics are served at {settings.metrics_address}, to whoever reaches it.",
            "Let only the operator's network reach it.",
        )


def _is_local(settings: Settings) -> bool:
    return any(f"@{host}" in settings.database_url for host in ("127.0.0.1", "localhost", "[::1]", "/"))


def files(settings: Settings) -> Iterator[Finding]:
    """Whether other users of the machine may read what is stored."""
    loose = [str(path) for path, _ in too_open(settings)]
    if loose:
        yield warn(
            "files",
            f"other users may read {', '.join(loose)}.",
            "The next start tightens what is its own; else run chmod 700 on the folder and 600 on the files.",
        )
    else:
        yield ok("files", "no other user may read them.")
    if (settings.data_dir / OLD_SECRET_FILE).exists():
        yield warn(
            "files",
            f"{settings.data_dir / OLD_SECRET_FILE} exists: a rotation has begun.",
            "Run `submeter secret rotate` again.",
        )


def signing(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether operators can sign papers, and for how long still."""
    paths = sorted(signing_folder(settings).glob("*.p12"))
    if not paths:
        yield warn(
            "signing",
            "no operator has a certificate: index certificates and leak dossiers are refused.",
            "Run `submeter certificates create OPERATOR` (docs/certificates.md).",
        )
    for path in paths:
        try:
            until = identity_at(path, now=now).not_after
        except SigningUnavailable as reason:
            yield warn("signing", str(reason), "Put a valid certificate in its place (docs/certificates.md).")
            continue
        if until < now + SOON:
            advice = "Put the next one in its place before (docs/certificates.md)."
            yield warn("signing", f"{path} expires on {until:%Y-%m-%d}.", advice)
        else:
            yield ok("signing", f"{path.stem} signs until {until:%Y-%m-%d}.")


def free_space(settings: Settings) -> Iterator[Finding]:
    """The free space of the folders that are written to."""
    folders = {settings.data_dir: "the data folder"}
    if settings.is_sqlite:
        folders.setdefault(
            Path(sqlite_path(settings.database_url)).absolute().parent, "the database's folder"
        )
    for folder, name in folders.items():
        existing = next(one for one in (folder, *folder.parents) if one.exists())
        free = shutil.disk_usage(existing).free
        what = f"{free / (1 << 30):,.1f} GiB are free for {name} {folder}."
        if free < TOO_LOW_BYTES:
            yield failed("disk", what, "Free some: soon nothing more can be stored.")
        elif free < LOW_BYTES:
            yield warn("disk", what, "Free some.")
        else:
            yield ok("disk", what)


def drivers() -> Iterator[Finding]:
    """Whether the installed drivers load, agree, and read their own telegrams."""
    advice = "Update or uninstall the plugin; `submeter drivers check` says more."
    try:
        registry = load_registry()
    except DriverConflict as conflict:
        yield failed("drivers", str(conflict), advice)
        return
    for plugin in registry.broken:
        yield failed("drivers", f"{plugin.name} was not loaded: {plugin.reason}", advice)
    subjects, _broken = subjects_of(installed_plugins())
    few = [replace(subject, random_contents=FEW_CONTENTS) for subject in subjects]
    faults = [f"{result.driver}: {result.check}" for result in run_checks(few) if not result.passed]
    if faults:
        yield failed("drivers", f"checks fail: {'; '.join(faults)}.", advice)
    elif not registry.broken:
        names = ", ".join(loaded.driver.name for loaded in registry.drivers)
        yield ok("drivers", f"{names} are loaded and read their own telegrams.")
