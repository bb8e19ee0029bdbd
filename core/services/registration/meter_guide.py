"""The guide to meters that the help of the sign-up links to (R-053, R-054).

In: an operator. Out: a PDF. The one rule: it is public, so it is made of the operator's profile and of the
drivers alone, and made once.
"""

from functools import lru_cache

from core.bootstrap import Application
from core.documents.sheets import MeterExample, Sender
from core.errors import NotFound
from core.operators import OperatorProfile


def meter_guide(application: Application, operator_code: str) -> bytes:
    """The guide as a PDF.

    Raises:
        NotFound: no such operator, or one without help pages.
    """
    profile = application.registry.profile(operator_code)
    if profile is None or not profile.help_pages:
        raise NotFound("There is no such guide.", field="operator")
    meters = tuple(
        MeterExample(loaded.driver.title, loaded.driver.serial.example)
        for loaded in application.registry.drivers
    )
    return _made(_Guide(profile), meters)


class _Guide:
    """A profile as a key: profiles hold what cannot be hashed, and there is one of each."""

    def __init__(self, profile: OperatorProfile) -> None:
        self.profile = profile

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Guide) and other.profile is self.profile

    def __hash__(self) -> int:
        return id(self.profile)


@lru_cache(maxsize=32)
def _made(guide: _Guide, meters: tuple[MeterExample, ...]) -> bytes:
    from core.documents.meter_guide import meter_guide_pdf  # noqa: PLC0415 - reportlab takes time to start

    profile = guide.profile
    contact = ", ".join(part for part in (profile.contact.name, profile.contact.email) if part)
    sender = Sender(profile.name, profile.portal_name, contact, profile.registration_url)
    return meter_guide_pdf(sender, profile.help_pages, meters)
