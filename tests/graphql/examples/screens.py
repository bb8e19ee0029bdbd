"""The screens of examples/screens, each with the fragments that it uses.

In: the files as they are. Out: one document for each screen, as a client sends it. The one rule: a fragment
that a screen does not use is not sent with it.
"""

from pathlib import Path

from graphql import DocumentNode, concat_ast, parse, print_ast
from graphql.utilities import separate_operations

FOLDER = Path(__file__).resolve().parents[3] / "examples/screens"
FRAGMENTS = FOLDER / "fragments.graphql"


def screens() -> dict[str, str]:
    """The documents by the names of their files."""
    return {path.stem: document(path) for path in sorted(FOLDER.glob("*.graphql")) if path != FRAGMENTS}


def document(path: Path) -> str:
    """A screen with its fragments; it has one operation."""
    whole = concat_ast([parsed(path), parsed(FRAGMENTS)])
    (needed,) = separate_operations(whole).values()
    return print_ast(needed)


def parsed(path: Path) -> DocumentNode:
    return parse(path.read_text(encoding="utf-8"))
