"""Fields with a text for people: in the language asked for, or else in the reader's.

In: where an object has the text in every language. Out: a field with the argument `language`.
The one rule: no field answers several languages; who wants two asks twice, by aliases.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import strawberry
from strawberry.types.field import StrawberryField

from core.language import Text
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language

Words: TypeAlias = Callable[[Any, Language], Any]
_WORDS = "words"


def text_field(text_of: Callable[[Any], Text], description: str) -> Any:
    """The field of a text."""

    def words(self: object, language: Language) -> str:
        return text_of(self).in_language(language)

    return worded(description)(words)


def optional_text_field(text_of: Callable[[Any], Text | None], description: str) -> Any:
    """The field of a text that there may be."""

    def words(self: object, language: Language) -> str | None:
        text = text_of(self)
        return None if text is None else text.in_language(language)

    return worded(description)(words)


def texts_field(texts_of: Callable[[Any], Sequence[Text]], description: str) -> Any:
    """The field of a list of texts."""

    def words(self: object, language: Language) -> list[str]:
        return [text.in_language(language) for text in texts_of(self)]

    return worded(description)(words)


def worded(description: str) -> Callable[[Words], StrawberryField]:
    """Make a method that words something in a language the resolver of a field."""

    def field_of(words: Words) -> StrawberryField:
        def resolver(self: object, info: Info, language: Language | None = None) -> Any:
            return _in_language(info, language, lambda spoken: words(self, spoken))

        resolver.__name__ = words.__name__
        resolver.__annotations__["return"] = words.__annotations__["return"]
        vars(resolver)[_WORDS] = words
        return strawberry.field(resolver, description=description)

    return field_of


def words_of(resolver: object) -> Words | None:
    """What words a field in a language, of a resolver that `worded` made."""
    words: Words | None = getattr(resolver, _WORDS, None)
    return words


def _in_language(info: Info, asked_for: Language | None, text_in: Callable[[Language], Any]) -> Any:
    """The text, at once if the language is known: the pages before sign-in have hundreds of them."""
    context = info.context
    known = asked_for or context.readers_language
    return text_in(known) if known is not None else _later(context.language(None), text_in)


async def _later(language: Awaitable[Language], text_in: Callable[[Language], Any]) -> Any:
    return text_in(await language)
