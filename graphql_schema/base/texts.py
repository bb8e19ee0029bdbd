"""A text in both languages: forms are shown before the user's language is known."""

import strawberry

from core.language import Text as LocalText


@strawberry.type(description="A text in every language of the portal.")
class Text:
    fr: str
    en: str

    @classmethod
    def of(cls, text: LocalText) -> "Text":
        return cls(fr=text.fr, en=text.en)

    @classmethod
    def maybe(cls, text: LocalText | None) -> "Text | None":
        return None if text is None else cls.of(text)
