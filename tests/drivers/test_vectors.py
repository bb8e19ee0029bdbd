"""Every driver against its own vectors.toml."""

from importlib.resources import files

import pytest

from core.metering import Address
from core.metering.conformance import differences, load_vectors
from tests.support.makers.vendors import OUR_DRIVERS

VECTORS = [
    (vendor, number, vector)
    for vendor in OUR_DRIVERS
    for number, vector in enumerate(
        load_vectors((files(f"drivers.{vendor}") / "vectors.toml").read_text("utf-8"))
    )
]


@pytest.mark.parametrize(
    ("vendor", "vector"),
    [(vendor, vector) for vendor, _, vector in VECTORS],
    ids=[f"{vendor}-{number}" for vendor, number, _ in VECTORS],
)
def test_a_drivers_telegrams_mean_what_its_folder_states(registry, vendor, vector):
    """Each telegram beside a driver gives exactly the values and flags written there."""
    assert differences(vector, registry, vendor) == ()


@pytest.mark.parametrize("vendor", OUR_DRIVERS)
def test_the_example_serial_has_the_shape_of_its_format(registry, vendor):
    """The example in a help text is one that the form accepts; its normal form is its own normal form."""
    serial = registry.named(vendor).serial
    normal = serial.normalise(serial.example)
    assert serial.normalise(normal) == normal


@pytest.mark.parametrize("vendor", OUR_DRIVERS)
def test_each_claim_is_backed_or_stated(registry, vendor):
    """A driver answers for the meters of its own vectors, and for nobody else's."""
    for owner, _, vector in VECTORS:
        claimed = registry.driver_for(Address.parse(vector.address)).name == vendor
        assert claimed == (owner == vendor)
