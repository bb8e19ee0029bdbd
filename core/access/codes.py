"""One-time codes, temporary passwords and tokens: how they are made, stored and compared.

In: a secret shown, its stored hash, and the moment. Out: a verdict. The one rule: what is stored gives no
access: of tokens, which nobody can guess, the SHA-256; of six-digit codes, which whoever steals the table
could try one by one, an HMAC under a key that is not in the table.

A code has six digits, five tries and fifteen minutes (CNIL 2022-100: 19.9 bits will do for that alone). A
temporary password has 100 bits, is used once and lasts a day (PW-05).
"""

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CODE_DIGITS = 6
CODE_TRIES = 5
CODE_LIFETIME = timedelta(minutes=15)
RESEND_AFTER = timedelta(minutes=1)
"""The wait before the next code may be requested (CODE_RESEND_TOO_SOON)."""

RESET_LIFETIME = timedelta(hours=1)
"""How long the link of a forgotten password is valid (PW-06)."""

TEMPORARY_PASSWORD_LIFETIME = timedelta(hours=24)
_TEMPORARY_GROUPS, _GROUP_LETTERS = 4, 5
_READABLE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 and O, no 1, I and L: a temporary password may be read from paper."""

RECOVERY_CODES = 10
_TOKEN_BYTES = 32


class CodeVerdict(StrEnum):
    """The verdict on a code that was shown."""

    RIGHT = "RIGHT"
    WRONG = "WRONG"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class KeptCode:
    """A stored code: its hash, when it was made, how often it was tried, and whether it was used."""

    code_hash: str
    made_at: datetime
    tries: int = 0
    used: bool = False

    @property
    def tries_left(self) -> int:
        return max(CODE_TRIES - self.tries, 0)

    def open_at(self, now: datetime) -> bool:
        """Whether a try would still be checked: not expired, not used, tries left."""
        return not self.used and self.tries_left > 0 and now < self.made_at + CODE_LIFETIME

    def judge(self, shown_hash: str, *, now: datetime) -> CodeVerdict:
        """The verdict on a code with this hash; the caller counts the try before."""
        if self.used or self.tries > CODE_TRIES or now >= self.made_at + CODE_LIFETIME:
            return CodeVerdict.EXPIRED
        return CodeVerdict.RIGHT if same(self.code_hash, shown_hash) else CodeVerdict.WRONG

    def resend_after(self, now: datetime) -> timedelta:
        """The wait before another code is sent; zero when it has passed."""
        return max(self.made_at + RESEND_AFTER - now, timedelta())


def make_code() -> str:
    """Six digits, each code as likely as any other: `042117`."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def typed_code(text: str) -> str:
    """A code as it was typed, without the blanks and hyphens that people and mail programs add."""
    typed = unicodedata.normalize("NFKC", text[:64])
    return "".join(c for c in typed if not c.isspace() and unicodedata.category(c) not in {"Pd", "Cf"})


def code_hash(code: str, *, key: bytes, bound_to: str) -> str:
    """The stored hash of a code: valid under this key only, and only for what it is bound to."""
    return hmac.new(key, _bytes(f"{bound_to}\n{typed_code(code)}"), hashlib.sha256).hexdigest()


def make_temporary_password() -> str:
    """Four groups of five readable characters, 99 bits: `7KQ2M-…`."""
    return "-".join(_letters(_GROUP_LETTERS) for _ in range(_TEMPORARY_GROUPS))


def make_recovery_codes() -> list[str]:
    """Ten codes of 49 bits, each good for once: `7KQ2M-XW4TB`."""
    return [f"{_letters(5)}-{_letters(5)}" for _ in range(RECOVERY_CODES)]


def make_token(prefix: str) -> str:
    """256 random bits behind a prefix that names the kind of token, for secret scanners."""
    return prefix + secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """The stored hash of a token; accepts any text."""
    return hashlib.sha256(_bytes(token)).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, in constant time."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _letters(count: int) -> str:
    return "".join(secrets.choice(_READABLE) for _ in range(count))


def _bytes(text: str) -> bytes:
    """UTF-8; a lone surrogate, which JSON can carry, makes a wrong code, not a failure."""
    return text.encode("utf-8", "surrogatepass")
