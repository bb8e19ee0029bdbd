"""`submeter migrate`: the tables as this version wants them."""

from core import bootstrap
from core.settings import from_environment
from submeter.output import out


async def migrate() -> None:
    """Bring the tables up to date."""
    applied = await bootstrap.migrate(from_environment())
    out.print(f"Applied {', '.join(applied)}." if applied else "Nothing to apply: the tables are up to date.")
