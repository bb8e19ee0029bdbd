"""The operator's newsletter: subscribed and ended by its reader, and recorded."""

from datetime import timedelta

import pytest

from core.access import Act
from core.errors import InvalidInput
from core.models import Account, Operator
from core.services.accounts.account import choose_newsletter
from core.services.auth.sessions import my_account
from tests.support import factories
from tests.support.factories import NOW


@pytest.mark.requirement("R-212", "NL-01")
async def test_the_newsletter_ends_as_easily_as_it_begins(application, enter, visitor, audited) -> None:
    """Whoever ticked it at sign-up can end it; subscribing again records a new moment (NL-01)."""
    await factories.account()
    await Account.all().update(newsletter_since=NOW - timedelta(days=30))
    claire = await enter()
    await Operator.all().update(code="ista")
    for wished, since in ((False, None), (False, None), (True, NOW)):
        await choose_newsletter(application, claire, wished=wished, visitor=visitor, now=NOW)
        assert (await Account.get()).newsletter_since == since
        assert (await my_account(application, claire)).newsletter is wished
    reported = [entry.details for entry in await audited(Act.NOTIFICATIONS_CHANGED)]
    assert reported == [{"topic": "NEWSLETTER", "by_email": False}, {"topic": "NEWSLETTER", "by_email": True}]


async def test_nobody_subscribes_where_the_operator_has_no_newsletter(application, enter, visitor) -> None:
    """Ending is always possible."""
    await factories.account()
    claire = await enter()
    await choose_newsletter(application, claire, wished=False, visitor=visitor, now=NOW)
    with pytest.raises(InvalidInput):
        await choose_newsletter(application, claire, wished=True, visitor=visitor, now=NOW)
    assert (await Account.get()).newsletter_since is None
