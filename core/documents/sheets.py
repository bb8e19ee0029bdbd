"""What is written on flyers, certificates and notices, as values; `core.documents.paper` lays them out.

In: what the services know. Out: values. The one rule: they hold no more than the sheet shows.
"""

from dataclasses import dataclass
from datetime import date

from core.consumption import Month
from core.consumption.fluids import Fluid
from core.language import Language
from core.texts.paper import words


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the operator, its portal, whom to ask, and where residents register."""

    operator_name: str
    portal_name: str
    contact: str
    link: str


@dataclass(frozen=True, slots=True)
class Site:
    """A residence as it is written on paper."""

    code: str
    name: str
    street: str
    postcode: str
    city: str

    @property
    def address(self) -> str:
        return f"{self.street}, {self.postcode} {self.city}"


@dataclass(frozen=True, slots=True)
class Door:
    """A dwelling as it is written on paper; empty where a part is not known."""

    building: str = ""
    staircase: str = ""
    floor: str = ""
    number: str = ""
    lot: str = ""


@dataclass(frozen=True, slots=True)
class Flyer:
    """A page that invites to register, for a residence or for one of its dwellings."""

    site: Site
    door: Door | None
    steps: tuple[str, ...]
    serial_example: str


@dataclass(frozen=True, slots=True)
class FluidFigures:
    """What a dwelling consumed of a fluid, in its smallest unit; None where nothing was read.

    `complete`: whether every day behind all three figures is known.
    """

    fluid: Fluid
    month: int | None
    year: int | None
    month_a_year_before: int | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """The consumption of a dwelling up to the end of a month; `since` begins the figures of the year."""

    site: Site
    door: Door
    month: Month
    since: date
    figures: tuple[FluidFigures, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """What managers are notified of: that residents can register, or no longer can."""

    site: Site
    is_open: bool
    day: date


@dataclass(frozen=True, slots=True)
class MeterExample:
    """A kind of meter, and a serial number as it prints one."""

    title: str
    serial: str


def notice_title(portal: str, language: Language, *, is_open: bool) -> str:
    """`Votre portail ISI HABITAT est prêt`."""
    return words(f"notice.{kind_of(is_open=is_open)}.title", language, portal=portal)


def kind_of(*, is_open: bool) -> str:
    """Under which key a notice has its words."""
    return "ready" if is_open else "closed"
