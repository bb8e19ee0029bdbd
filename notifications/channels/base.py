"""What a way of sending is to the post room: one message in, accepted or not.

In: a `Post`. Out: nothing, or `NotAccepted` with a short reason. The one rule: a reason never holds an
address, a text, or a server's own words, since it is stored and logged.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Post:
    """A message as it goes out.

    Attributes:
        key: the same at every try of the same message.
        recipient: an e-mail address, or an E.164 number.
        subject: one line.
        text: the rest; an SMS takes both as one.
        language: `fr` or `en`.
    """

    key: str
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    language: str


class NotAccepted(Exception):
    """The next server on the way did not take the message.

    Attributes:
        reason: `SMTP_450`, `SMS_1`, `NOT_REACHED`.
        permanent: another try would end alike.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class Way(Protocol):
    """E-mail, SMS: what a message is sent by."""

    async def send(self, post: Post) -> None:
        """Return when the next server has accepted the message.

        Raises:
            NotAccepted: it has not.
        """

    async def close(self) -> None:
        """Let go of connections; the next message opens them again."""
