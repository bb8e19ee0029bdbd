"""What an alert warns of: the one list that tables, services, messages and schema share."""

from enum import StrEnum


class AlertKind(StrEnum):
    """What an alert warns of."""

    LEAK = "LEAK"
    OVER_CONSUMPTION = "OVER_CONSUMPTION"
    BURST = "BURST"
    BACKFLOW = "BACKFLOW"
    DRY = "DRY"
    TAMPER = "TAMPER"
    NO_DATA = "NO_DATA"
    METER_LEAK = "METER_LEAK"
