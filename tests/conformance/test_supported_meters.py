"""docs/supported-meters.md is what the drivers and their telegrams say."""

from submeter.supported_meters import our_plugins, page
from tests.conformance.conftest import ROOT


def test_the_page_is_in_step_with_the_drivers() -> None:
    """Regenerated it is the same; otherwise: make supported-meters."""
    assert (ROOT / "docs" / "supported-meters.md").read_text("utf-8") == page(our_plugins())


def test_every_telegram_of_a_driver_proves_a_row(registry) -> None:
    """The counts of a driver's rows add up to no less than its telegrams."""
    text = page(our_plugins())
    for loaded in registry.drivers:
        assert f"Driver `{loaded.driver.name}`." in text
        for signature in loaded.driver.signatures:
            assert f"| {signature.manufacturer} | " in text
