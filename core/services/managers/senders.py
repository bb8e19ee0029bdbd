"""Who writes to the residents of a residence: the operator, its portal, and the address to register at.

In: the application and a residence. Out: values for paper and e-mail. The one rule: a link names the
residence by its code, which is on every flyer (R-018, R-040), and nothing that opens an account.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from core.bootstrap import Application
from core.documents.sheets import Door, Sender, Site
from core.models import Dwelling, Residence
from core.operators import Contact


def sender_of(application: Application, residence: Residence) -> Sender:
    """The sender of what goes to a residence, its operator loaded."""
    operator = residence.operator
    profile = application.registry.profile(operator.code)
    return Sender(
        operator_name=profile.name if profile else operator.name,
        portal_name=profile.portal_name if profile else operator.name,
        contact=contact_text(profile.contact) if profile else operator.name,
        link=registration_link(application, operator.code, residence.code),
    )


def registration_link(application: Application, operator_code: str, residence_code: str) -> str:
    """Where residents of a residence register: the operator's own page, with the code of the residence."""
    parts = urlsplit(application.registration_page(operator_code))
    query = urlencode([*parse_qsl(parts.query), ("code", residence_code)])
    return urlunsplit(parts._replace(path=parts.path or "/", query=query))


def site_of(residence: Residence) -> Site:
    return Site(residence.code, residence.name, residence.street, residence.postcode, residence.city)


def door_of(dwelling: Dwelling) -> Door:
    return Door(dwelling.building, dwelling.staircase, dwelling.floor, dwelling.number, dwelling.lot or "")


def contact_text(contact: Contact) -> str:
    """Whom to ask, in a line."""
    return ", ".join(part for part in (contact.name, contact.email, contact.phone) if part)
