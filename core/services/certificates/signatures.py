"""The signature of an operator on a PDF that is issued.

In: the operator, and what lays the PDF out. Out: the signed file. The one rule: both take CPU time and happen
in a thread, beside the event loop; and what cannot be signed is not issued.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from core.bootstrap import Application
from core.documents.signing import SigningIdentity, SigningUnavailable, identity_at, path_of, signed
from core.errors import SignatureUnavailable

_log = logging.getLogger(__name__)


async def identity_of(application: Application, operator_code: str, *, now: datetime) -> SigningIdentity:
    """Who signs for an operator.

    Raises:
        SignatureUnavailable: there is no certificate, or none that is valid now; the log says which file.
    """
    try:
        path = path_of(application.settings, operator_code)
        return await asyncio.to_thread(identity_at, path, now=now)
    except SigningUnavailable as reason:
        _log.warning("Nothing can be signed for %s. %s", operator_code, reason)
        raise SignatureUnavailable from None


async def signed_pdf(
    make: Callable[[], bytes], identity: SigningIdentity, *, reason: str, now: datetime
) -> bytes:
    """The PDF that `make` lays out, signed."""
    return await asyncio.to_thread(lambda: signed(make(), identity, reason=reason, now=now))
