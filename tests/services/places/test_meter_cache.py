"""What a worker holds of its meters: within a bound, and as current as the tables."""

from datetime import date

from core.access import SYSTEM
from core.models import Meter
from core.services.places.meter_cache import MeterDirectory
from submeter.simulator import fleet
from tests.services.conftest import Itron
from tests.support import factories
from tests.support.attack import watched


async def test_no_more_meters_are_held_than_allowed_and_the_latest_are(
    application, key_encryption, monkeypatch
) -> None:
    """Ten meters and a stranger's address, asked for one after the other where eight may be held: all are
    found with their keys; those asked for last are found again without a look at the tables but for the
    version; the first are read again.
    """
    meters = [Itron(fleet.itron(f"{48_000_000 + number}", date(2024, 1, 1))) for number in range(10)]
    await factories.residence(
        key_encryption, *(factories.meter(meter.address, key=meter.key) for meter in meters)
    )
    directory = MeterDirectory(8)

    async def costs(*addresses):
        with watched(monkeypatch) as work:
            found = await directory.find(SYSTEM, addresses, key_encryption=key_encryption)
        known = {meter.address: (meter.key,) for meter in meters if meter.address in addresses}
        assert {address: one.keys for address, one in found.items()} == known
        return len(work.statements)

    first = [await costs(meter.address) for meter in meters]
    assert len(set(first)) == 1
    assert await costs("ITW-12345678-00-07") > 1
    assert await costs("ITW-12345678-00-07", *(meter.address for meter in meters[-3:])) == 1
    assert await costs(meters[1].address) == first[1] > 1


async def test_a_meter_that_was_changed_is_read_again(application, key_encryption, monkeypatch) -> None:
    """A new step of the register holds from the next batch on."""
    meter = Itron(fleet.itron("48000000", date(2024, 1, 1)))
    await factories.residence(key_encryption, factories.meter(meter.address, key=meter.key))
    directory = MeterDirectory(8)
    for step in (1, 10):
        await Meter.all().update(register_step=step)
        found = await directory.find(SYSTEM, [meter.address], key_encryption=key_encryption)
        assert found[meter.address].register_step == step
