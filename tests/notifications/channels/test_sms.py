"""SMS: what the gateway receives, once, and what its refusals mean."""

import base64
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.settings import Settings
from notifications.channels.base import NotAccepted, Post
from notifications.channels.sms import Sms
from tests.support.servers.post import sms_centre

SETTINGS = replace(
    Settings(Path(), "sqlite:///x.db", "s" * 32),
    vonage_api_key="key",
    vonage_api_secret="word",
    sms_from="Eau",
)
POST = Post("k", "+33639980012", "Alerte fuite niveau 1", "Eau froide : 3.95 L/h.", "fr")


@pytest.fixture
def centre(monkeypatch):
    with sms_centre(monkeypatch) as found:
        yield found


async def test_an_sms_is_subject_and_text(centre) -> None:
    """To the number, from the sender, under the configured account."""
    await Sms(SETTINGS).send(POST)
    (request,) = centre.requests
    assert request == {
        "to": "33639980012",
        "from": "Eau",
        "text": "Alerte fuite niveau 1\nEau froide : 3.95 L/h.",
        "type": "text",
    }
    assert centre.authorizations == ["Basic " + base64.b64encode(b"key:word").decode()]


async def test_a_character_outside_the_gsm_alphabet_makes_the_sms_unicode(centre) -> None:
    """`é` and `à` are in the alphabet, `ê` and `°` are not."""
    for text in ("débit à l'arrêt n°", "débité à"):
        await Sms(SETTINGS).send(replace(POST, subject="", text=text))
    assert [request["type"] for request in centre.requests] == ["unicode", "text"]
    assert [request["text"] for request in centre.requests] == ["débit à l'arrêt n°", "débité à"]


@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        ("1", "SMS_1", False),
        ("6", "SMS_6", True),
        ("9", "SMS_9", True),
        ("http 503", "HTTP_503", False),
        ("http 429", "HTTP_429", False),
        ("http 401", "HTTP_401", False),
        ("http 400", "HTTP_400", True),
        ("cut", "NOT_REACHED", False),
    ],
)
async def test_a_refusal_is_temporary_or_permanent(centre, status, reason, permanent) -> None:
    """A request whose answer is lost is not repeated by the channel: the SMS may have been sent."""
    centre.statuses = [status]
    with pytest.raises(NotAccepted) as refused:
        await Sms(SETTINGS).send(POST)
    assert (refused.value.reason, refused.value.permanent) == (reason, permanent)
    assert len(centre.requests) == 1


async def test_neither_number_nor_credential_is_logged(centre, caplog) -> None:
    """The library would log numbers and credentials at DEBUG."""
    caplog.set_level(logging.DEBUG)
    await Sms(SETTINGS).send(POST)
    assert not any(name in caplog.text for name in ("33639980012", "3.95", "word"))


def test_the_library_waits_for_the_first_sms() -> None:
    """A worker that sends e-mail alone never loads it, nor does one that waits for an SMS to send."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from core.settings import Settings\n"
        "from notifications.worker import ways_of\n"
        "ways = ways_of(Settings(Path(), 'sqlite:///x.db', 's' * 32, vonage_api_key='k'))\n"
        "print(len(ways), sorted(name for name in sys.modules if name.startswith(('vonage', 'requests'))))\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "1 []\n"
