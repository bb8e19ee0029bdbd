"""The interface of a channel: one message in, accepted or not.

In: a `Post`. Out: nothing, or `NotAccepted` with a short reason. The one rule: a reason never contains an
address, a text, or a server's reply, since it is stored and logged.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Post:
    """A message as it is sent.

    Attributes:
        key: the same for every attempt to send this message.
        recipient: an e-mail address, or an E.164 number.
        subject: one line.
        text: the body; an SMS joins subject and body.
        language: `fr` or `en`.
    """

    key: str
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    language: str


class NotAccepted(Exception):
    """The next server did not accept the message.

    Attributes:
        reason: `SMTP_450`, `SMS_1`, `NOT_REACHED`.
        permanent: another attempt would fail the same way.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class Way(Protocol):
    """A channel that sends messages: e-mail or SMS."""

    async def send(self, post: Post) -> None:
        """Return when the next server has accepted the message.

        Raises:
            NotAccepted: the server refused it or was not reached.
        """

    async def close(self) -> None:
        """Close connections; the next message opens them again."""
