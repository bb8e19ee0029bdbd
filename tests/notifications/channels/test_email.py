"""E-mail: what a real server receives, and what its refusals mean."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from core.settings import Settings
from notifications.channels.base import NotAccepted, Post
from notifications.channels.email import Email
from notifications.texts.render import render
from tests.support.servers.post import part_of, smtp_server

POST = Post(
    key="leak:1:opened:7:email",
    recipient="claire.martin@example.org",
    subject="Alerte fuite niveau 1",
    text="Bonjour Mme Martin,\n\nEau froide n°H8CA029620 : « fuite ».\n",
    language="fr",
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def settings(port: int, **more: str) -> Settings:
    return replace(
        Settings(Path(), "sqlite:///x.db", "s" * 32),
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security=more.pop("security", "PLAIN"),
        mail_from="Portail résident <portail@example.org>",
        **more,
    )


@pytest.fixture
def box() -> Iterator[tuple[object, int]]:
    with smtp_server() as found:
        yield found


async def test_a_mail_arrives_as_it_was_written(box) -> None:
    """Sender, recipient, subject and text with accents; two mails share a connection."""
    mailbox, port = box
    email = Email(settings(port))
    await email.send(POST)
    await email.send(replace(POST, key="another"))
    await email.close()
    first, second = mailbox.mails
    assert first["From"] == "Portail résident <portail@example.org>"
    assert first["To"] == "claire.martin@example.org"
    assert first["Subject"] == "Alerte fuite niveau 1"
    assert mailbox.texts_to("claire.martin@example.org")[0] == POST.text
    assert (first["Content-Language"], first["Auto-Submitted"]) == ("fr", "auto-generated")
    assert first["Message-ID"] != second["Message-ID"]
    assert mailbox.recipients == ["claire.martin@example.org"] * 2


async def test_a_mail_has_its_text_twice(box) -> None:
    """Plain text, then HTML, in its language; dwelling names are escaped, and nothing is loaded remotely."""
    mailbox, port = box
    values = {
        "fluid": "COLD_WATER",
        "meter": "H8CA029620",
        "level": 1,
        "started_on": "2026-11-16",
        "ended_on": None,
        "loss_litres": None,
        "mean_flow_lph": None,
        "place": "<script>alert('été')</script> · 12",
    }
    words = render("leak_relapsed", "fr", values)
    email = Email(settings(port))
    await email.send(replace(POST, subject=words.subject, text=words.email_text("M. <b>Lot</b>", "fr")))
    await email.close()
    (mail,) = mailbox.mails
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["Content-Language"] == "fr"
    assert "<script>alert('été')</script> · 12 : Eau froide" in part_of(mail, "plain")
    page = part_of(mail, "html")
    assert '<html lang="fr">' in page
    assert "&lt;script&gt;alert(&#x27;été&#x27;)&lt;/script&gt; · 12 : Eau froide" in page
    assert "Bonjour M. &lt;b&gt;Lot&lt;/b&gt;," in page
    assert "<script" not in page
    assert [word for word in ("src=", "url(", "<img", "<link") if word in page] == []


async def test_a_second_try_is_the_same_mail(box) -> None:
    """Its Message-ID is derived from the event, so mail programs drop a duplicate."""
    mailbox, port = box
    for _ in range(2):
        email = Email(settings(port))
        await email.send(POST)
        await email.close()
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


@pytest.mark.parametrize(
    ("answer", "reason", "permanent"),
    [
        ("450 greylisted, come back", "SMTP_450", False),
        ("552 box full of claire's mail", "SMTP_552", True),
        ("550 no such user claire.martin", "SMTP_550", True),
    ],
)
async def test_a_refusal_is_temporary_or_permanent(box, answer, reason, permanent) -> None:
    """By its code; the server's text, which may name the person, is not stored. The next mail is sent."""
    mailbox, port = box
    mailbox.refusals = [answer]
    email = Email(settings(port))
    with pytest.raises(NotAccepted) as refused:
        await email.send(POST)
    assert (refused.value.reason, refused.value.permanent) == (reason, permanent)
    assert "claire" not in str(refused.value)
    await email.send(POST)
    await email.close()
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("recipient", ["", "no address", "a@b\r\nBcc: all@example.org", "a@b@c", "\0@x"])
async def test_an_invalid_address_is_refused_permanently(box, recipient) -> None:
    """It cannot inject headers."""
    mailbox, port = box
    email = Email(settings(port))
    with pytest.raises(NotAccepted) as refused:
        await email.send(replace(POST, recipient=recipient))
    assert (refused.value.reason, refused.value.permanent) == ("ADDRESS_UNUSABLE", True)
    assert mailbox.mails == []


async def test_an_unreachable_server_is_retried(unused_tcp_port) -> None:
    """No message is given up because a server restarts."""
    with pytest.raises(NotAccepted) as refused:
        await Email(settings(unused_tcp_port)).send(POST)
    assert (refused.value.reason, refused.value.permanent) == ("NOT_REACHED", False)


@pytest.mark.parametrize("security", ["STARTTLS", "TLS"])
async def test_a_connection_is_encrypted_and_authenticated(server_context, client_context, security) -> None:
    """By STARTTLS or from the first byte, with a user name and password."""
    contexts = {"starttls" if security == "STARTTLS" else "tls": server_context}
    with smtp_server(**contexts, password="word") as (mailbox, port):
        mine = settings(port, security=security, smtp_username="portal", smtp_password="word")
        email = Email(mine, tls_context=client_context)
        await email.send(POST)
        await email.close()
        assert mailbox.logins[-1] == ("portal", "word")
        assert len(mailbox.mails) == 1


async def test_a_server_without_a_valid_certificate_receives_nothing(server_context) -> None:
    """The certificate is checked before the password is sent."""
    with smtp_server(starttls=server_context, password="word") as (mailbox, port):
        mine = settings(port, security="STARTTLS", smtp_username="portal", smtp_password="word")
        with pytest.raises(NotAccepted) as refused:
            await Email(mine).send(POST)
        assert (refused.value.reason, refused.value.permanent) == ("NOT_REACHED", False)
        assert mailbox.logins == []


async def test_a_wrong_smtp_password_is_no_fault_of_the_message(box) -> None:
    """Once the operator has corrected it, the waiting messages are sent."""
    with smtp_server(password="word") as (_, port):
        mine = settings(port, smtp_username="portal", smtp_password="wrong")
        with pytest.raises(NotAccepted) as refused:
            await Email(mine).send(POST)
        assert (refused.value.reason, refused.value.permanent) == ("SMTP_535", False)
