"""What an account agreed to for itself, purpose by purpose: a log to which rows are only added (CN-02,
CN-07).

In: an account, a purpose and an answer, in the transaction of what the answer changes. Out: a row, if the
answer is another than the last one. The one rule: what counts is where it always was (the account's
switches, the newsletter, the grant); this log proves who agreed to which text, and when.
"""

from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from core.access.purposes import AccountPurpose
from core.models import AccountConsent, ConsentState
from core.services.shared.audit import Detail
from core.texts.consents import PURPOSES_VERSION


async def record_account_consent(
    connection: BaseDBAsyncClient,
    account_id: int,
    purpose: AccountPurpose,
    *,
    granted: bool,
    now: datetime,
    **details: Detail,
) -> None:
    """Add the answer; one that repeats the last one, with the same details and text, adds nothing."""
    state = ConsentState.GRANTED if granted else ConsentState.REFUSED
    mine = AccountConsent.filter(account_id=account_id, purpose=purpose).using_db(connection)
    last = await mine.order_by("-id").first()
    if last is None and not granted:
        return  # unanswered is refused already (C-18)
    if last is not None and (last.state, last.text_version, last.details) == (
        state,
        PURPOSES_VERSION,
        details,
    ):
        return
    await AccountConsent.create(
        account_id=account_id,
        purpose=purpose,
        state=state,
        text_version=PURPOSES_VERSION,
        recorded_at=now,
        details=details,
        using_db=connection,
    )
