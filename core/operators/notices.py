"""An operator's information for residents: contact, processing of personal data, and where to find the number
on a meter.

In: the operator's texts. Out: values that cannot be made without their mandatory parts. The one rule: a
notice that lacks purpose, legal basis, retention, rights or contact is an error at start, before a resident
reads it (C-31): the guide's own notice is about quotes, which this processing is not (R-213).
"""

from dataclasses import dataclass, fields

from core.consumption.fluids import Fluid
from core.language import Text


@dataclass(frozen=True, slots=True)
class Contact:
    """Who answers questions. A blank phone or website means there is none."""

    name: str
    email: str
    phone: str = ""
    address: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """The processing of personal data, as Article 13 GDPR requires; `version` changes with every edit.

    Raises:
        ValueError: a part is empty.
    """

    version: str
    purpose: Text
    legal_basis: Text
    retention: Text
    rights: Text
    contact: Text
    url: str

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            words = (value.fr, value.en) if isinstance(value, Text) else (value,)
            if not all(word.strip() for word in words):
                raise ValueError(f"The privacy notice has no {part.name}.")


@dataclass(frozen=True, slots=True)
class ConsumptionNotes:
    """What the operator adds to the monthly and annual notes on consumption.

    Attributes:
        fluids: what is noted beside heat and hot water, which decree 2020-886 names: cold water is optional
            (FR-06).
        prices: the prices of energy and water, with taxes; None: they are not stated.
        energy_mix: the fuels of the building or network, and their greenhouse gases.
        consumer_bodies: who advises on saving energy.
        complaints: how to complain, beside the operator's contact: ombudsman, mediation.
        cost_allocation: how the costs of the building are shared.
    """

    fluids: frozenset[Fluid] = frozenset()
    prices: Text | None = None
    energy_mix: Text | None = None
    consumer_bodies: Text | None = None
    complaints: Text | None = None
    cost_allocation: Text | None = None


NOTHING_ADDED = ConsumptionNotes()


@dataclass(frozen=True, slots=True)
class HelpPage:
    """Where to find the number on one kind of device.

    Attributes:
        title: of the dialogue.
        fluid: the tab it belongs to; None: for every kind.
        items: what to do, in order.
        guide_url: a guide to meters to download, with `guide_label`; None: the application's own, made of
            these pages and of what the drivers print.
        guide_label: the words of that link; None: there is no link.
    """

    title: Text
    items: tuple[Text, ...]
    fluid: Fluid | None = None
    guide_url: str | None = None
    guide_label: Text | None = None
