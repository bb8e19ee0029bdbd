"""Issues the API keys with which radio gateways deliver telegrams.

In: an operator and the name of a gateway. Out: a key, shown once. The one rule: only its hash is stored, and
a new key ends the one before.
"""

import secrets
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.access.codes import token_hash
from core.errors import NotFound
from core.models import Gateway, Operator
from core.services.auth.sessions import GATEWAY_PREFIX
from core.services.shared.transaction import transactional


@transactional
async def issue_gateway_key(
    connection: TransactionalDBClient, viewer: Viewer, *, operator_code: str, name: str, now: datetime
) -> str:
    """A new API key for a gateway, replacing the one it had; shown here and never again.

    Raises:
        NotFound: there is no such operator.
    """
    viewer.require(Permission.PLACES_WRITE)
    operator = await Operator.get_or_none(code=operator_code, using_db=connection)
    if operator is None:
        raise NotFound(f"There is no operator {operator_code}.", field="operator")
    key = GATEWAY_PREFIX + secrets.token_urlsafe(32)
    gateway = await Gateway.get_or_none(operator_id=operator.id, name=name, using_db=connection)
    gateway = gateway or Gateway(operator_id=operator.id, name=name, created_at=now)
    gateway.key_hash, gateway.revoked_at = token_hash(key), None
    await gateway.save(using_db=connection)
    return key
