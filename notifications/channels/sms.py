"""Sends SMS through Vonage's SMS API, with its Python library.

In: settings and a `Post`. Out: Vonage's acceptance. The one rule: a message is posted once per attempt. The
library blocks, repeats a request whose connection was cut (which is a second SMS) as often as its pool has
connections, and has no time limit by default; so each message has its own client, with a pool of one, no
retries and a time limit, in its own thread.
"""

import logging
import re
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread

from core.settings import Settings
from notifications.channels.base import NotAccepted, Post

TIMEOUT_S = 15
_FOR_NOW = frozenset({"1", "5", "8", "10"})
"""Temporary: throttled, internal error, account barred or out of connections. Others are permanent."""

_CODE = re.compile(r"error code (\d+)")
_UNUSABLE = 400
"""Permanent: the request itself is wrong. Every other status is temporary: ours or theirs to correct."""


class Sms:
    """The way by SMS."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._at_a_time = CapacityLimiter(4)
        # At DEBUG the library logs numbers, texts and the account's credentials.
        for name in ("vonage", "urllib3"):
            logging.getLogger(name).setLevel(logging.WARNING)

    async def send(self, post: Post) -> None:
        text = f"{post.subject}\n{post.text}" if post.subject else post.text
        await to_thread.run_sync(partial(self._post, post.recipient, text), limiter=self._at_a_time)

    async def close(self) -> None:
        """Nothing to close."""

    def _post(self, number: str, text: str) -> None:
        # Imported here: it takes 0.7 s, and few commands send an SMS.
        from pydantic import ValidationError  # noqa: PLC0415 - only where an SMS is sent
        from requests import RequestException  # noqa: PLC0415 - only where an SMS is sent
        from vonage_http_client.errors import HttpRequestError  # noqa: PLC0415 - only where an SMS is sent
        from vonage_sms import SmsMessage  # noqa: PLC0415 - only where an SMS is sent
        from vonage_sms.errors import SmsError  # noqa: PLC0415 - only where an SMS is sent

        try:
            message = SmsMessage(
                to=number.removeprefix("+"), from_=self._settings.sms_from, text=text, type=_type(text)
            )
            self._client().sms.send(message)
        except SmsError as refused:
            code = found[1] if (found := _CODE.search(str(refused))) else "UNKNOWN"
            raise NotAccepted(f"SMS_{code}", permanent=code not in _FOR_NOW) from None
        except HttpRequestError as refused:
            status = refused.response.status_code
            raise NotAccepted(f"HTTP_{status}", permanent=status == _UNUSABLE) from None
        except (RequestException, KeyError, ValueError) as trouble:
            if isinstance(trouble, ValidationError):
                raise NotAccepted("MESSAGE_UNUSABLE", permanent=True) from None
            raise NotAccepted("NOT_REACHED", permanent=False) from None

    def _client(self) -> Any:
        from vonage import Auth, HttpClientOptions, Vonage  # noqa: PLC0415 - as above

        auth = Auth(api_key=self._settings.vonage_api_key, api_secret=self._settings.vonage_api_secret)
        return Vonage(auth, HttpClientOptions(timeout=TIMEOUT_S, max_retries=0, pool_maxsize=1))


def _type(text: str) -> str:
    """`text` if the GSM 03.38 alphabet has every character, which makes an SMS twice as long."""
    return "text" if all(character in _GSM for character in text) else "unicode"


_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
