"""Phone numbers as people write them, and the one form in which they are stored: E.164 (R-204, C-34).

In: a text such as `+33 06 11 54 65 87`. Out: `+33611546587`, or None. The one rule: numbers are judged by
`phonenumbers` (Google's own tables), never by patterns of ours; without a country code they are French.
Beside them stand the mobile numbers that belong to nobody, which the demo and the tests use.
"""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

HOME_REGION = "FR"
LONGEST_PHONE = 32
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


_FICTITIOUS_MOBILE = re.compile(r"\+3363998\d{4}")
"""06 39 98, which ARCEP keeps for audiovisual works (decision 2018-0881, 2.6.4): nobody has such a number, so
the tables do not list it.
"""


def to_e164(text: str) -> str | None:
    """The number in E.164; None where it is no valid number of its country."""
    if len(text) > LONGEST_PHONE:
        return None
    try:
        number = phonenumbers.parse(text, HOME_REGION)
        if not phonenumbers.is_valid_number(number):
            number = _without_trunk_prefix(number)
    except NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return e164 if phonenumbers.is_valid_number(number) or _is_fictitious(e164) else None


def is_mobile(e164: str) -> bool:
    """Whether an SMS can reach it."""
    return _is_fictitious(e164) or phonenumbers.number_type(phonenumbers.parse(e164)) in _MOBILE


def _is_fictitious(e164: str) -> bool:
    return _FICTITIOUS_MOBILE.fullmatch(e164) is not None


def _without_trunk_prefix(number: PhoneNumber) -> PhoneNumber:
    """The number dialled within its own country: the 0 after +33 is for calls from France (R-204)."""
    country = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return phonenumbers.parse(phonenumbers.national_significant_number(number), country)
