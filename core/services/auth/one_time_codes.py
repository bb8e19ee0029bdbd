"""One-time secrets that prove an address: six-digit codes, and the link of a forgotten password.

In: the account, the purpose, and the address to prove. Out: the secret, for the message only; later the
address that was proved. The one rule: a try is counted in a statement of its own before it is checked, and
a use is one statement too, so concurrent tries or uses get no further than sequential ones.
"""

from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.expressions import F

from core.access.codes import (
    CODE_LIFETIME,
    CODE_TRIES,
    RESET_LIFETIME,
    CodeVerdict,
    KeptCode,
    code_hash,
    make_code,
    make_token,
    token_hash,
)
from core.access.refusals import CodeExpired, CodeInvalid, CodeResendTooSoon
from core.models import Account, Challenge, ChallengePurpose
from core.services.shared.encryption import derived_key
from core.services.shared.transaction import transactional
from core.settings import Settings

RESET_PREFIX = "smf_"
RESET_TEMPLATE = "password_reset"
"""The message whose link is made when it is sent, so that a request costs the same without an account."""
_PURPOSE = "codes v1"


async def new_code(
    connection: BaseDBAsyncClient,
    settings: Settings,
    account_id: int,
    purpose: ChallengePurpose,
    target: str,
    *,
    now: datetime,
) -> tuple[int, str]:
    """A code for an address, which replaces any earlier one; returns the challenge's number and the code.

    Raises:
        CodeResendTooSoon: the last one was sent less than a minute ago.
    """
    await Account.filter(id=account_id).using_db(connection).select_for_update().only("id").get()
    mine = Challenge.filter(account_id=account_id, purpose=purpose).using_db(connection)
    last = await mine.order_by("-id").first()
    if last is not None and (wait := _kept(last).resend_after(now)):
        raise CodeResendTooSoon(wait)
    await mine.filter(used_at=None).update(used_at=now)
    code = make_code()
    challenge = await Challenge.create(
        account_id=account_id,
        purpose=purpose,
        secret_hash=_hash(settings, account_id, purpose, code),
        target=target,
        created_at=now,
        expires_at=now + CODE_LIFETIME,
        using_db=connection,
    )
    return challenge.id, code


async def settle_code(
    settings: Settings, account_id: int, purpose: ChallengePurpose, code: str, *, now: datetime
) -> str:
    """The address that the code proves; the code is used up.

    Raises:
        CodeInvalid: a wrong code, with the number of tries left.
        CodeExpired: there is none, or it is too old, used, or was tried five times.
    """
    last = await Challenge.filter(account_id=account_id, purpose=purpose).order_by("-id").first()
    if last is None or not _kept(last).open_at(now):
        raise CodeExpired
    this = Challenge.filter(id=last.id, used_at=None)
    if not await this.filter(tries__lt=CODE_TRIES).update(tries=F("tries") + 1):
        raise CodeExpired
    await last.refresh_from_db()
    verdict = _kept(last).judge(_hash(settings, account_id, purpose, code), now=now)
    if verdict is CodeVerdict.WRONG:
        raise CodeInvalid(_kept(last).tries_left)
    if verdict is CodeVerdict.EXPIRED or not await this.update(used_at=now):
        raise CodeExpired
    target: str = last.target
    return target


@transactional
async def new_reset_token(
    connection: TransactionalDBClient, account_id: int, target: str, *, now: datetime
) -> str:
    """A token for a forgotten password, which replaces any earlier one."""
    await void_reset_tokens(connection, account_id, now=now)
    token = make_token(RESET_PREFIX)
    await Challenge.create(
        account_id=account_id,
        purpose=ChallengePurpose.RESET_PASSWORD,
        secret_hash=token_hash(token),
        target=target,
        created_at=now,
        expires_at=now + RESET_LIFETIME,
        using_db=connection,
    )
    return token


async def void_reset_tokens(connection: BaseDBAsyncClient, account_id: int, *, now: datetime) -> None:
    """Invalidate every link that was sent: the password or the mailbox has changed."""
    links = Challenge.filter(account_id=account_id, purpose=ChallengePurpose.RESET_PASSWORD, used_at=None)
    await links.using_db(connection).update(used_at=now)


async def account_of_reset_token(token: str, *, now: datetime) -> int:
    """Whose token it is; it is not used up.

    Raises:
        CodeExpired: unknown, used, too old, or sent to a mailbox that the account no longer has; which of
            these is not disclosed.
    """
    found = await Challenge.get_or_none(
        secret_hash=token_hash(token),
        purpose=ChallengePurpose.RESET_PASSWORD,
        used_at=None,
        expires_at__gt=now,
        account__disabled_at=None,
    ).select_related("account")
    if found is None or found.target != found.account.email:
        raise CodeExpired
    account_id: int = found.account_id
    return account_id


async def use_reset_token(connection: BaseDBAsyncClient, token: str, *, now: datetime) -> None:
    """Use it up.

    Raises:
        CodeExpired: it was used meanwhile.
    """
    this = Challenge.filter(secret_hash=token_hash(token), used_at=None, expires_at__gt=now)
    if not await this.using_db(connection).update(used_at=now):
        raise CodeExpired


def _kept(row: Challenge) -> KeptCode:
    return KeptCode(row.secret_hash, row.created_at, tries=row.tries, used=row.used_at is not None)


def _hash(settings: Settings, account_id: int, purpose: ChallengePurpose, code: str) -> str:
    key = derived_key(settings.secret_key, _PURPOSE)
    return code_hash(code, key=key, bound_to=f"{purpose.value}:{account_id}")
