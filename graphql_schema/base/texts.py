"""Fields with a text for people: in the language asked for, or else in the reader's.

In: where an object has the text in every language. Out: a field with the argument `language`.
The one rule: no field answers several languages; who wants two asks twice, by aliases.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from core.language import Text
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language


def text_field(text_of: Callable[[Any], Text], description: str) -> Any:
    """The field of a text."""

    def resolver(self: object, info: Info, language: Language | None = None) -> str:
        text_in: str = _in_language(info, language, text_of(self).in_language)
        return text_in

    return strawberry.field(resolver, description=description)


def optional_text_field(text_of: Callable[[Any], Text | None], description: str) -> Any:
    """The field of a text that there may be."""

    def resolver(self: object, info: Info, language: Language | None = None) -> str | None:
        text = text_of(self)
        return None if text is None else _in_language(info, language, text.in_language)

    return strawberry.field(resolver, description=description)


def texts_field(texts_of: Callable[[Any], Sequence[Text]], description: str) -> Any:
    """The field of a list of texts."""

    def resolver(self: object, info: Info, language: Language | None = None) -> list[str]:
        texts = texts_of(self)
        text_in: list[str] = _in_language(
            info, language, lambda one: [text.in_language(one) for text in texts]
        )
        return text_in

    return strawberry.field(resolver, description=description)


def worded(description: str) -> Callable[[Callable[[Any, Language], Any]], StrawberryField]:
    """Make a method that words something in a language (`str` or `str | None`) the resolver of a field."""

    def field_of(words: Callable[[Any, Language], Any]) -> StrawberryField:
        def resolver(self: object, info: Info, language: Language | None = None) -> Any:
            return _in_language(info, language, lambda spoken: words(self, spoken))

        resolver.__name__ = words.__name__
        resolver.__annotations__["return"] = words.__annotations__["return"]
        return strawberry.field(resolver, description=description)

    return field_of


def _in_language(info: Info, asked_for: Language | None, text_in: Callable[[Language], Any]) -> Any:
    """The text, at once if the language is known: the pages before sign-in have hundreds of them."""
    context = info.context
    known = asked_for or context.readers_language
    return text_in(known) if known is not None else _later(context.language(None), text_in)


async def _later(language: Awaitable[Language], text_in: Callable[[Language], Any]) -> Any:
    return text_in(await language)
