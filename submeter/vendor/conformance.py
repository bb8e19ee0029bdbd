"""For the tests of a driver's package: the checks of `submeter drivers check`, and decoding step by step."""

from core.metering.conformance import DriverConformance, Vector, differences, load_vectors
from core.metering.decode import identify, open_telegram
from core.metering.registry import load_registry

__all__ = [
    "DriverConformance",
    "Vector",
    "differences",
    "identify",
    "load_registry",
    "load_vectors",
    "open_telegram",
]
