"""For meters that encrypt or frame their telegrams in the maker's own way (`MeterDriver.proprietary`)."""

from core.mbus.envelope import Envelope
from core.mbus.errors import TelegramError
from core.mbus.frame import Layout, fixed_place, read_frame
from core.mbus.values import date_g
from core.metering.driver import Proprietary

__all__ = ["Envelope", "Layout", "Proprietary", "TelegramError", "date_g", "fixed_place", "read_frame"]
