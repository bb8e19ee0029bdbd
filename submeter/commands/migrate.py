"""`submeter migrate`: update the tables to this version."""

from core import bootstrap
from core.settings import from_environment
from submeter.output import out


async def migrate() -> None:
    """Apply the pending migrations."""
    applied = await bootstrap.migrate(from_environment())
    out.print(f"Applied {', '.join(applied)}." if applied else "Nothing to apply: the tables are up to date.")
