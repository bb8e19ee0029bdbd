"""Sends e-mail over SMTP (RFC 5321), with aiosmtplib.

In: settings and a `Post`. Out: the server's acceptance. The one rule: a connection is kept open while
there is more to send and closed after any error, so that no message is sent on one in an unknown state.
A reply from 400 to 499 is a temporary failure (greylisting, full mailbox), one from 500 on is permanent. An
e-mail has its text twice, plain and as HTML; the mail program chooses.
"""

import hashlib
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

import aiosmtplib
from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPRecipientsRefused, SMTPResponseException

from core.settings import PLAIN, STARTTLS, TLS, Settings
from notifications.channels.base import NotAccepted, Post
from notifications.channels.html import html_of

TIMEOUT_S = 30.0
_FOR_GOOD = 500


class Email:
    """The e-mail channel.

    Args:
        settings: host, port, security, credentials and sender.
        tls_context: verifies servers; by default with the system's certificate authorities.
    """

    def __init__(self, settings: Settings, *, tls_context: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls_context = tls_context
        self._smtp: SMTP | None = None

    async def send(self, post: Post) -> None:
        try:
            message = self._message(post)
        except (
            ValueError,
            IndexError,
            MessageError,
        ) as unusable:  # raised by the standard library for a bad address
            raise NotAccepted("ADDRESS_UNUSABLE", permanent=True) from unusable
        try:
            smtp = await self._connected()
            await smtp.send_message(message, recipients=[post.recipient])
        except SMTPRecipientsRefused as refused:
            await self.close()
            raise _not_accepted(refused.recipients[0].code) from refused
        except SMTPAuthenticationError as refused:  # our own credentials, which the operator can correct
            await self.close()
            raise NotAccepted(f"SMTP_{refused.code}", permanent=False) from refused
        except SMTPResponseException as refused:
            await self.close()
            raise _not_accepted(refused.code) from refused
        except (aiosmtplib.SMTPException, OSError) as trouble:
            await self.close()
            raise NotAccepted("NOT_REACHED", permanent=False) from trouble

    async def close(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def check(self) -> None:
        """Connect, greet, encrypt and sign in as for a message, and leave without one.

        Raises:
            SMTPException: the server refuses, or speaks otherwise than the settings say.
            OSError: it cannot be reached, or its certificate is not trusted.
        """
        smtp = await self._connected()
        await smtp.quit()

    async def _connected(self) -> SMTP:
        if self._smtp is None or not self._smtp.is_connected:
            security = self._settings.smtp_security
            self._smtp = SMTP(
                hostname=self._settings.smtp_host,
                port=self._settings.smtp_port,
                username=self._settings.smtp_username or None,
                password=self._settings.smtp_password or None,
                use_tls=security == TLS,
                start_tls=security == STARTTLS,
                tls_context=None if security == PLAIN else self._tls_context,
                timeout=TIMEOUT_S,
            )
            await self._smtp.connect()
        return self._smtp

    def _message(self, post: Post) -> EmailMessage:
        message = EmailMessage()
        name, sender = parseaddr(self._settings.mail_from)
        message["From"] = Address(display_name=name, addr_spec=sender)
        message["To"] = Address(addr_spec=post.recipient)
        message["Subject"] = post.subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{hashlib.sha256(post.key.encode()).hexdigest()[:40]}@{_domain(sender)}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: suppresses out-of-office replies
        message.set_content(post.text)
        message.add_alternative(html_of(post.subject, post.text, post.language), subtype="html")
        message["Content-Language"] = post.language
        return message


def _domain(address: str) -> str:
    return address.rpartition("@")[2] or "localhost"


def _not_accepted(code: int) -> NotAccepted:
    return NotAccepted(f"SMTP_{code}", permanent=code >= _FOR_GOOD)
