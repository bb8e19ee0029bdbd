"""The languages residents read, and a text in all of them.

The French of an operator is that of its own guides for residents; the English has the same meaning.
"""

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """The languages residents read."""

    FR = "fr"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence or label for people, in every language."""

    fr: str
    en: str

    def in_language(self, language: Language) -> str:
        return self.fr if language is Language.FR else self.en
