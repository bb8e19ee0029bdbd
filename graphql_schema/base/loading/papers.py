"""Loaders of papers: deposited documents, monthly notes, and papers with a code.

In: what the fields of an operation ask for. Out: the answers, all by one call each. The one rule is that of
`graphql_schema.base.loaders`, which gives them out.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from strawberry.dataloader import DataLoader

from core.access import Viewer
from core.errors import NotFound
from core.services.certificates.papers import IssuedPaperView, papers_by_dwelling
from core.services.documents.note_status import NotesAsked, NoteState, several_note_states
from core.services.documents.seen import DocumentsAsked, ResidentDocumentView, documents_seen
from core.services.shared.paging import Page

ViewerSource: TypeAlias = Callable[[], Awaitable[Viewer]]


class PapersByDwellingLoader(DataLoader[int, list[IssuedPaperView]]):
    """The papers with a code that the viewer was issued at each dwelling, in one call."""

    def __init__(self, viewer: ViewerSource) -> None:
        self._viewer = viewer
        super().__init__(load_fn=self._papers)

    async def _papers(self, dwelling_ids: list[int]) -> Sequence[list[IssuedPaperView] | BaseException]:
        found = await papers_by_dwelling(await self._viewer(), dwelling_ids)
        missing = NotFound("No such dwelling.", field="id")
        return [found.get(dwelling_id, missing) for dwelling_id in dwelling_ids]


class DocumentsLoader(DataLoader[DocumentsAsked, Page[ResidentDocumentView]]):
    """Pages of the documents of dwellings and residences."""

    def __init__(self, viewer: ViewerSource, now: datetime) -> None:
        self._viewer, self._now = viewer, now
        super().__init__(load_fn=self._pages)

    async def _pages(
        self, asked: list[DocumentsAsked]
    ) -> Sequence[Page[ResidentDocumentView] | BaseException]:
        return await documents_seen(await self._viewer(), asked, now=self._now)


class NotesLoader(DataLoader[NotesAsked, list[NoteState]]):
    """The monthly notes of residences, with what became of each."""

    def __init__(self, viewer: ViewerSource) -> None:
        self._viewer = viewer
        super().__init__(load_fn=self._states)

    async def _states(self, asked: list[NotesAsked]) -> Sequence[list[NoteState] | BaseException]:
        return await several_note_states(await self._viewer(), asked)
