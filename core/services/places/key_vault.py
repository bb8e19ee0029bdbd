"""Seals meter keys under SUBMETER_SECRET_KEY, each bound to the meter it belongs to (see `sealing`).

The radio address is what a key is bound to, so a sealed key copied to another meter's row does not open. Keys
leave this module only to be used, and its values show nothing of them when printed.
"""

from dataclasses import dataclass, field

from core.errors import SecretUnusable
from core.services.shared.encryption import Seal, SealBroken

_PURPOSE = "meter keys v1"


@dataclass(frozen=True, slots=True)
class Vault:
    """Opens and seals with the key derived from the secret."""

    _seal: Seal = field(repr=False)

    @classmethod
    def under(cls, secret_key: str) -> "Vault":
        return cls(Seal.under(secret_key, _PURPOSE))

    def seal(self, meter_key: bytes, *, radio_address: str) -> bytes:
        return self._seal.seal(meter_key, bound_to=radio_address)

    def open(self, sealed: bytes, *, radio_address: str) -> bytes:
        """The key again.

        Raises:
            SecretUnusable: sealed under another secret or for another meter, or damaged.
        """
        try:
            return self._seal.open(sealed, bound_to=radio_address)
        except SealBroken as failure:
            raise SecretUnusable(
                f"The key of meter {radio_address} cannot be opened:"
                " SUBMETER_SECRET_KEY is not the one it was sealed under."
            ) from failure
