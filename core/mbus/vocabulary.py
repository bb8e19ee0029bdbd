"""The closed sets of EN 13757: how content is encrypted, what a record measures, and in which function.

In: nothing. Out: enums and the type of a record's value. The one rule: the names are stored and printed, so
they never change; a code of the standard without a name here is `UNKNOWN`.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

RecordValue = int | Decimal | date | datetime | str | bytes | None


class SecurityKind(StrEnum):
    """How the content is encrypted."""

    NONE = "NONE"
    MODE_5 = "MODE_5"
    """AES-128-CBC, initial vector from address and access number (EN 13757-7 clause 7.6.4)."""
    MODE_7 = "MODE_7"
    """AES-128-CBC with keys derived from a message counter, authenticated by AFL (clause 7.6.6)."""
    ELL_CTR = "ELL_CTR"
    """AES-128-CTR in the extended link layer (EN 13757-4 clause 13)."""
    PROPRIETARY = "PROPRIETARY"
    """A manufacturer's own CI (A0..B7) or security mode (16..31): a driver has to open it."""
    UNSUPPORTED = "UNSUPPORTED"
    """A standard mode that is not implemented: 1-4, 8-15."""


class Integrity(StrEnum):
    """What proved that a telegram arrived whole, the strongest first."""

    MAC = "MAC"
    """The message authentication code of mode 7, over all from the transport header on: neither damaged nor
    forged.
    """
    PAYLOAD_CHECKSUM = "PAYLOAD_CHECKSUM"
    """16 bits over the whole content: of the extended link (EN 13757-4 clause 13), or of the full telegram
    that a compact frame stands for (EN 13757-3 annex G).
    """
    LINK_CHECKSUM = "LINK_CHECKSUM"
    """All checksums of the link layer were received and fit: 16 bits a block by radio, 8 bits by wire; or the
    gateway says that it checked them.
    """
    DECRYPTION_CHECK = "DECRYPTION_CHECK"
    """2F 2F after decryption with the meter's key: proves the key, the address, the access number and the
    first block of 16 bytes. Blocks behind it may be damaged: a flipped bit garbles its own block and the same
    bit of the next.
    """
    NOTHING = "NOTHING"
    """No check, or one that other content passes by chance: the one byte of PRIOS, the sum of seven bits of
    "real data", the plausibility of a maker's own record, a link checksum of the last block alone.
    """

    @classmethod
    def strongest(cls, *proofs: "Integrity") -> "Integrity":
        """The strongest of some proofs; NOTHING of none."""
        return next((proof for proof in cls if proof in proofs), cls.NOTHING)


class Function(StrEnum):
    """The function field of a DIF (EN 13757-3 table 7)."""

    INSTANTANEOUS = "INSTANTANEOUS"
    MAXIMUM = "MAXIMUM"
    MINIMUM = "MINIMUM"
    ERROR_STATE = "ERROR_STATE"


class Measurand(StrEnum):
    """What a record measures, as its VIF says (EN 13757-3 tables 10, 12, 14)."""

    ENERGY = "ENERGY"
    VOLUME = "VOLUME"
    MASS = "MASS"
    ON_TIME = "ON_TIME"
    OPERATING_TIME = "OPERATING_TIME"
    POWER = "POWER"
    VOLUME_FLOW = "VOLUME_FLOW"
    MASS_FLOW = "MASS_FLOW"
    FLOW_TEMPERATURE = "FLOW_TEMPERATURE"
    RETURN_TEMPERATURE = "RETURN_TEMPERATURE"
    TEMPERATURE_DIFFERENCE = "TEMPERATURE_DIFFERENCE"
    EXTERNAL_TEMPERATURE = "EXTERNAL_TEMPERATURE"
    PRESSURE = "PRESSURE"
    DATE = "DATE"
    DATE_TIME = "DATE_TIME"
    ALLOCATOR_UNITS = "ALLOCATOR_UNITS"
    AVERAGING_DURATION = "AVERAGING_DURATION"
    ACTUALITY_DURATION = "ACTUALITY_DURATION"
    FABRICATION_NUMBER = "FABRICATION_NUMBER"
    ENHANCED_IDENTIFICATION = "ENHANCED_IDENTIFICATION"
    BUS_ADDRESS = "BUS_ADDRESS"
    RELATIVE_HUMIDITY = "RELATIVE_HUMIDITY"
    ACCESS_NUMBER = "ACCESS_NUMBER"
    MEDIUM = "MEDIUM"
    MANUFACTURER = "MANUFACTURER"
    PARAMETER_SET = "PARAMETER_SET"
    MODEL_VERSION = "MODEL_VERSION"
    HARDWARE_VERSION = "HARDWARE_VERSION"
    FIRMWARE_VERSION = "FIRMWARE_VERSION"
    SOFTWARE_VERSION = "SOFTWARE_VERSION"
    CUSTOMER_LOCATION = "CUSTOMER_LOCATION"
    CUSTOMER = "CUSTOMER"
    ERROR_FLAGS = "ERROR_FLAGS"
    DIGITAL_OUTPUT = "DIGITAL_OUTPUT"
    DIGITAL_INPUT = "DIGITAL_INPUT"
    DIMENSIONLESS = "DIMENSIONLESS"
    VOLTAGE = "VOLTAGE"
    CURRENT = "CURRENT"
    RESET_COUNTER = "RESET_COUNTER"
    CUMULATION_COUNTER = "CUMULATION_COUNTER"
    REMAINING_BATTERY = "REMAINING_BATTERY"
    BATTERY_OPERATING_TIME = "BATTERY_OPERATING_TIME"
    BATTERY_CHANGE = "BATTERY_CHANGE"
    REACTIVE_ENERGY = "REACTIVE_ENERGY"
    APPARENT_ENERGY = "APPARENT_ENERGY"
    REACTIVE_POWER = "REACTIVE_POWER"
    APPARENT_POWER = "APPARENT_POWER"
    FREQUENCY = "FREQUENCY"
    PHASE = "PHASE"
    TEMPERATURE_LIMIT = "TEMPERATURE_LIMIT"
    MAXIMUM_POWER_COUNT = "MAXIMUM_POWER_COUNT"
    CREDIT = "CREDIT"
    DEBIT = "DEBIT"
    ERROR_MASK = "ERROR_MASK"
    BAUD_RATE = "BAUD_RATE"
    STORAGE_NUMBER = "STORAGE_NUMBER"
    STORAGE_INTERVAL = "STORAGE_INTERVAL"
    DURATION_SINCE_READOUT = "DURATION_SINCE_READOUT"
    DURATION_SINCE_CUMULATION = "DURATION_SINCE_CUMULATION"
    TARIFF_START = "TARIFF_START"
    TARIFF_DURATION = "TARIFF_DURATION"
    TARIFF_PERIOD = "TARIFF_PERIOD"
    TRANSMISSION_PERIOD = "TRANSMISSION_PERIOD"
    SUPPLIER_INFORMATION = "SUPPLIER_INFORMATION"
    RADIO_LEVEL = "RADIO_LEVEL"
    STOP_COUNTER = "STOP_COUNTER"
    DURATION = "DURATION"
    """How long a limit was exceeded, as a VIFE says of what the VIF names."""
    COUNT = "COUNT"
    """How often a limit was exceeded, as a VIFE says of what the VIF names."""
    PLAIN_TEXT = "PLAIN_TEXT"
    MANUFACTURER_SPECIFIC = "MANUFACTURER_SPECIFIC"
    UNKNOWN = "UNKNOWN"
    """A code of the tables that is reserved or not read here; its value is never published."""
