"""Learns what the telegrams of a meter with several addresses are like: how coarse, and whether encrypted.

In: the reports of a batch. Out: the reports, each meter with the step of its coarsest telegrams. The one
rule: a walk-by telegram of whole kilowatt-hours between two of a hundred watt-hours each is no fall of the
register, so such a meter is judged by its coarsest step; a meter with one address is judged as described.
An alias that has sent an encrypted telegram is from then on refused in the clear, as a meter with a key is.
"""

from collections.abc import Sequence

from msgspec.structs import replace
from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import Q

from core.models import Meter, MeterAlias
from core.services.places.meter_directory import MeterEntry
from core.services.telegrams.decoding import Reported


async def with_addresses_learned(
    connection: TransactionalDBClient, reported: Sequence[Reported]
) -> list[Reported]:
    """The reports with their meters' steps as learned, this batch included. The dwellings must be
    locked.
    """
    coarser: dict[int, int] = {}
    for report in reported:
        meter = report.meter
        if meter.aliases and report.step > coarser.get(meter.id, meter.register_step):
            coarser[meter.id] = report.step
    for meter_id, step in coarser.items():
        finer = Meter.filter(Q(coarsest_step=None) | Q(coarsest_step__lt=step), id=meter_id)
        await finer.using_db(connection).update(coarsest_step=step)
    encrypted = {
        report.received.radio_address
        for report in reported
        if report.encrypted and report.received.radio_address in report.meter.plain_addresses
    }
    if encrypted:
        await MeterAlias.filter(radio_address__in=list(encrypted)).using_db(connection).update(encrypted=True)
    entries: dict[MeterEntry, MeterEntry] = {}
    return [_with_step(report, coarser, entries) for report in reported] if coarser else list(reported)


def _with_step(report: Reported, coarser: dict[int, int], entries: dict[MeterEntry, MeterEntry]) -> Reported:
    meter = report.meter
    if meter.id not in coarser:
        return report
    if meter not in entries:
        entries[meter] = replace(meter, register_step=coarser[meter.id])
    return replace(report, meter=entries[meter])
