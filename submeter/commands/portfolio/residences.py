"""`submeter residences`: describe and publish residences."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from anyio import to_thread
from cyclopts import App

from core.access import SYSTEM
from core.language import Language
from core.operator_files import sign_up_faults
from core.services.managers.homes import residence_number
from core.services.managers.papers import PaperAsked, PaperKind, paper_file
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import ResidenceSpec
from core.services.portfolio.portfolio import upsert_residence
from core.services.portfolio.publication import publish_residence, readiness, unpublish_residence
from submeter.application import opened
from submeter.commands.lists.places import list_residences
from submeter.output import confirmed, fail, out

residences = App(name="residences", help="Residences and their operators.")
residences.command(list_residences, name="list")


@residences.command
async def add(
    operator: str,
    operator_name: str,
    code: str,
    name: str,
    street: str,
    postcode: str,
    city: str,
    *,
    time_zone: str = "Europe/Paris",
    water_price: Decimal | None = None,
    remote_reading: bool | None = None,
    portal_option: bool | None = None,
    billing_starts: str | None = None,
    weather_station: str | None = None,
) -> None:
    """Add a residence, or update it; its operator is added if it is new.

    Residents can register once it is published (`submeter residences publish`).

    Args:
        operator: the operator's code, e.g. ocea.
        operator_name: the operator's name as shown to residents.
        code: the site code or building code, e.g. AA000.
        name: the residence's name.
        street: street and number.
        postcode: the postcode.
        city: the city.
        time_zone: time zone of the residence's days and months (IANA name).
        water_price: EUR per cubic metre, waste water included; without it the cost of a leak is not shown. If
            left out in an update, the price is unchanged.
        remote_reading: whether its meters are read remotely, which residents need to register; yes if left
            out of a new residence, unchanged if left out in an update.
        portal_option: whether the manager has subscribed to the option "resident portal"; as remote_reading.
        billing_starts: MM-DD, the day on which its billing periods begin, if that is not 1 January; unchanged
            if left out in an update.
        weather_station: whose degree days its heating is compared by (`submeter import degree-days`);
            unchanged if left out in an update.
    """
    now = datetime.now(UTC)
    spec = ResidenceSpec(
        operator,
        operator_name,
        code,
        name,
        street,
        postcode,
        city,
        time_zone,
        remote_reading=remote_reading,
        resident_portal_option=portal_option,
        billing_starts=billing_starts,
        weather_station=weather_station,
        water_price_eur_per_m3=water_price,
    )
    async with opened() as application:
        key_encryption, thresholds_of = (
            KeyEncryption.under(application.settings.secret_key),
            application.registry.leak_thresholds,
        )
        await upsert_residence(
            SYSTEM, spec, key_encryption=key_encryption, thresholds_of=thresholds_of, now=now
        )
        faults = sign_up_faults(application.registry, application.settings, operator)
    out.print(f"Residence {code} of {operator} is saved.")
    if faults:
        out.print(f"Its residents cannot register yet: {'; '.join(faults)}.", markup=False, soft_wrap=True)
        out.print(f"`submeter operators add {operator}` describes the operator.", markup=False)


@residences.command
async def publish(operator: str, code: str, *, without_data: bool = False) -> None:
    """Publish a residence, so that residents can register; its administrators are notified, once only.

    A residence whose meters have no readings is published only if that is confirmed.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
        without_data: publish it although dwellings, meters or readings are missing.
    """
    async with opened() as application:
        found = await readiness(SYSTEM, operator_code=operator, residence_code=code)
        if found.lack and not without_data and not confirmed(f"{code}: {found.lack}. Publish it?"):
            fail(
                f"{code} is not published: {found.lack}. With --without-data it is published all the same.",
                code="NO_DATA",
            )
        fresh = await publish_residence(
            application, SYSTEM, operator_code=operator, residence_code=code, now=datetime.now(UTC)
        )
    out.print(f"Residence {code} is published." if fresh else f"Residence {code} was already published.")
    if not found.lack and found.read < found.meters:
        out.print(f"{found.meters - found.read} of its {found.meters} meters have no reading yet.")


@residences.command
async def unpublish(operator: str, code: str) -> None:
    """End the publication of a residence: no new registrations; existing accounts keep their access.

    Its administrators are notified.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
    """
    async with opened() as application:
        changed = await unpublish_residence(
            application, SYSTEM, operator_code=operator, residence_code=code, now=datetime.now(UTC)
        )
    out.print(
        f"Residence {code} is no longer published." if changed else f"Residence {code} is not published."
    )


@residences.command
async def flyer(
    operator: str, code: str, file: Path, *, each_dwelling: bool = False, language: Language = Language.FR
) -> None:
    """Write the flyer of a residence, with its code and a QR code of the address to register at, as a PDF.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
        file: the PDF to write.
        each_dwelling: a page for each dwelling, instead of one for all.
        language: fr or en.
    """
    await _write(PaperKind.FLYERS if each_dwelling else PaperKind.FLYER, operator, code, file, language)


@residences.command
async def certificates(operator: str, code: str, file: Path, *, language: Language = Language.FR) -> None:
    """Write the certificates of consumption of residents without an account, of the last month, as a PDF.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
        file: the PDF to write.
        language: fr or en.
    """
    await _write(PaperKind.CERTIFICATES, operator, code, file, language)


async def _write(kind: PaperKind, operator: str, code: str, file: Path, language: Language) -> None:
    async with opened() as application:
        residence_id = await residence_number(SYSTEM, operator, code)
        asked = PaperAsked(kind, residence_id, language)
        paper = await paper_file(application, SYSTEM, asked, now=datetime.now(UTC))
    await to_thread.run_sync(file.write_bytes, paper.content)
    out.print(f"{file} is written.", markup=False)
