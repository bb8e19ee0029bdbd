"""Forwards a question to the operator, from somebody who may not be signed in (R-147).

In: an address and a question. Out: a message in the outbox to the operator's contact. The one rule: it goes
to the operator only and never to the address given, which could be anybody's.
"""

import hashlib
from datetime import datetime

from core.access import Visitor
from core.bootstrap import Application
from core.errors import InvalidInput
from core.models import Channel
from core.operators import OperatorProfile
from core.registration.machine import checked_email
from core.registration.refusals import RegistrationRefused
from core.sanitize import escape_for_database
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.registration.rate_limits import count_support_request
from core.services.shared.transaction import current_database

LONGEST_QUESTION = 2_000


async def ask_for_support(
    application: Application,
    profile: OperatorProfile,
    *,
    email: str,
    question: str,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Queue the question.

    Raises:
        InvalidInput: no address, no question, or one that is too long.
        RateLimited: too many from this address.
    """
    try:
        asker = checked_email(email)
    except RegistrationRefused as failure:
        raise InvalidInput("This is no e-mail address.", field="email") from failure
    text = escape_for_database(question.strip())
    if not text or len(text) > LONGEST_QUESTION:
        raise InvalidInput(f"A question has 1 to {LONGEST_QUESTION} characters.", field="question")
    await count_support_request(application, visitor, now=now)
    digest = hashlib.sha256(f"{asker}\n{text}\n{now.isoformat()}".encode()).hexdigest()
    account_message = AccountMessage(
        key=f"support:{digest[:32]}",
        channel=Channel.EMAIL,
        template="support_request",
        language="fr",
        recipient=profile.contact.email,
        values={"portal": profile.portal_name, "email": asker, "question": text},
    )
    await queue_account_message(current_database(), application.settings, account_message, now=now)
