"""The configuration that the `tortoise` command reads to create a migration; it opens no connection."""

from core.bootstrap import database_config
from core.settings import from_environment

TORTOISE_ORM = database_config(from_environment())
