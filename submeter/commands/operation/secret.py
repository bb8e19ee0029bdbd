"""`submeter secret`: the secret key that meter keys, second factors and messages are encrypted with."""

import os
from dataclasses import replace
from pathlib import Path

from cyclopts import App

from core.access import SYSTEM
from core.services.operation.secret_rotation import rotate_secret
from core.settings import (
    OLD_SECRET_FILE,
    PREFIX,
    SECRET_FILE,
    Settings,
    environment,
    from_environment,
    write_secret,
)
from submeter.application import opened
from submeter.commands.ingest import progress_bar
from submeter.output import fail, out, print_table

secret = App(name="secret", help="The secret key that meter keys and other secrets are encrypted with.")


@secret.command
async def rotate(*, spare_unusable: bool = False) -> None:
    """Encrypt everything anew with another secret key. Stop all servers and workers before.

    With SUBMETER_SECRET_KEY, set it to the new secret and SUBMETER_SECRET_KEY_OLD to the one before.
    Otherwise the file in the data folder is replaced. After an interruption, run the command again.

    Args:
        spare_unusable: go on if values are opened by neither secret, and leave these as they are.
    """
    settings = from_environment()
    in_file = not environment().get(f"{PREFIX}SECRET_KEY")
    if in_file:
        settings = _with_new_file(settings)
    if not settings.secret_key_old:
        fail(
            "Set SUBMETER_SECRET_KEY to the new secret and SUBMETER_SECRET_KEY_OLD to the one before.",
            code="SETTINGS",
        )
    async with opened(settings, rotating=True):
        with progress_bar("Encrypting anew", None) as advance:
            rotated = await rotate_secret(
                SYSTEM,
                old=settings.secret_key_old,
                new=settings.secret_key,
                spare_unusable=spare_unusable,
                progress=advance,
            )
    if in_file:
        (settings.data_dir / OLD_SECRET_FILE).unlink()
    columns = ("what", "encrypted anew", "already", "unusable")
    rows = [(one.kind, one.encrypted_anew, one.already, one.unusable) for one in rotated]
    print_table("Encrypted with the new secret", columns, rows)
    if not in_file:
        out.print("Remove SUBMETER_SECRET_KEY_OLD, and start the servers and workers.")


def _with_new_file(settings: Settings) -> Settings:
    """Set the secret of the data folder aside and make a new one, unless an earlier run has done so.

    The old one is there before the new one, and goes when everything is encrypted anew: at no moment is a
    secret nowhere that something is encrypted with.
    """
    present, old = settings.data_dir / SECRET_FILE, settings.data_dir / OLD_SECRET_FILE
    if old.exists():
        return settings
    fresh = present.with_name(f"{SECRET_FILE}.new")
    fresh.unlink(missing_ok=True)
    write_secret(fresh)
    old.hardlink_to(present)
    fresh.replace(present)
    _sync(settings.data_dir)
    return replace(
        settings,
        secret_key=present.read_text(encoding="ascii").strip(),
        secret_key_old=settings.secret_key,
    )


def _sync(folder: Path) -> None:
    """Let the names reach the disk before the database does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
