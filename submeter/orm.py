"""The configuration that the `tortoise` command reads to make a migration; nothing is opened by it."""

from core.bootstrap import database_config
from core.settings import from_environment

TORTOISE_ORM = database_config(from_environment())
