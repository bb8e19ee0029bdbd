"""Issues the API keys with which radio gateways deliver telegrams, and says whom a broker delivers for.

In: an operator and the name of a gateway. Out: a key, shown once. The one rule: only its hash is stored,
and a new key ends the one before.
"""

import secrets
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import SYSTEM, Permission, Role, Viewer
from core.access.codes import token_hash
from core.errors import InvalidInput, NotFound
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


async def broker_viewer(name: str) -> Viewer:
    """Whom a message broker delivers for, by the setting `SUBMETER_MQTT_GATEWAY`.

    A broker of the operator's own serves all meters where there is one operator. Where there are several,
    it has to be named whose it is, since nobody may deliver for another operator's meters.

    Args:
        name: `operator/gateway`, `SYSTEM` for all operators, or nothing.

    Raises:
        InvalidInput: nothing is named, and there are several operators.
        NotFound: there is no such gateway, or its key was revoked.
    """
    if name == Role.SYSTEM.value:
        return SYSTEM
    if not name:
        if await Operator.all().count() > 1:
            message = "There are several operators: name whose broker it is, operator/gateway, or SYSTEM."
            raise InvalidInput(message, field="SUBMETER_MQTT_GATEWAY")
        return SYSTEM
    operator_code, _, gateway_name = name.partition("/")
    gateway = await Gateway.get_or_none(operator__code=operator_code, name=gateway_name, revoked_at=None)
    if gateway is None:
        raise NotFound(f"There is no gateway {name}.", field="SUBMETER_MQTT_GATEWAY")
    return Viewer(role=Role.GATEWAY, gateway_id=gateway.id, operator_id=gateway.operator_id)
