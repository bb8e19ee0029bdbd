"""What is written on papers that are signed and have a code, as values: index certificates, leak dossiers.

In: what the services know. Out: values. The one rule: they name nobody, and hold no more than the paper
shows; None where something is not known, which the paper then says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from core.alerting.claims import VolumeComparison
from core.consumption import Quality
from core.consumption.fluids import Fluid
from core.documents.sheets import Door, Sender, Site


class IndexQuality(StrEnum):
    """How good an index is; the last three have none."""

    ON_DAY = "ON_DAY"
    EARLIER = "EARLIER"
    NEVER_READ = "NEVER_READ"
    NOT_SINCE_MOVE_IN = "NOT_SINCE_MOVE_IN"
    DOUBTFUL_ONLY = "DOUBTFUL_ONLY"


@dataclass(frozen=True, slots=True)
class CertifiedIndex:
    """A meter that was in service on the day; index and moment are None where it was not read."""

    fluid: Fluid
    serial: str
    location: str
    index: int | None
    read_at: datetime | None
    quality: IndexQuality


@dataclass(frozen=True, slots=True)
class IndexCertificate:
    """The indexes of a dwelling at the end of a day; `copy_of`: OUTGOING or INCOMING, None for no move."""

    sender: Sender
    site: Site
    door: Door
    time_zone: str
    day: date
    copy_of: str | None
    indexes: Sequence[CertifiedIndex]
    issued_at: datetime


class NoticeChannel(StrEnum):
    """How the occupant learned of the leak."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PORTAL = "PORTAL"


class PriceSource(StrEnum):
    """Whose price the cost is at."""

    RESIDENCE = "RESIDENCE"
    STATED = "STATED"


@dataclass(frozen=True, slots=True)
class LeakDay:
    """A day of the meter; litres are None where nothing was read; `leaking`: the leak lasted on it."""

    day: date
    litres: int | None
    quality: Quality | None
    leaking: bool


@dataclass(frozen=True, slots=True)
class LeakRepair:
    """The repair as somebody reported it, and what the meter showed after it, if it has by now."""

    repaired_at: datetime
    note: str
    verified_at: datetime | None = None
    relapsed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeakDossier:
    """A leak as its occupant may show it to others; None where not known or not the occupant's.

    `ended_on` is the first day without the leak. `comparison` is of the home's whole consumption of the fluid
    in the days of the leak; None where a day of it is not known.
    """

    sender: Sender
    site: Site
    door: Door
    time_zone: str
    fluid: Fluid
    serial: str
    level: int
    started_on: date
    detected_at: datetime | None
    ended_on: date | None
    noticed_at: datetime
    notice_channel: NoticeChannel
    due_on: date
    repair: LeakRepair | None
    loss_litres: Decimal | None
    mean_flow_lph: Decimal | None
    price_eur_per_m3: Decimal | None
    price_source: PriceSource
    cost_eur: Decimal | None
    comparison: VolumeComparison | None
    days: Sequence[LeakDay]
    today: date
    issued_at: datetime
