"""The screens as modules of Relay, whose compiler wants each name to begin with that of its module.

In: a folder. Out: in it, modules that hold the screens as tagged texts, and the configuration. The one
rule: nothing but names is changed.
"""

import json
import re
from pathlib import Path

from tests.graphql.examples.screens import FOLDER, FRAGMENTS

MODULE = "import {{graphql}} from 'relay-runtime';\n{}\n"
CONFIGURATION = {
    "src": "./src",
    "schema": "./schema.graphql",
    "language": "typescript",
    "artifactDirectory": "./artifacts",
    "customScalarTypes": {
        **dict.fromkeys(("Base64", "Date", "DateTime", "Decimal", "Month"), "string"),
        "BigInt": "number",
    },
}


def write_modules(folder: Path) -> int:
    """Write them, and answer how many operations and fragments they hold."""
    fragments = FRAGMENTS.read_text(encoding="utf-8")
    names = re.findall(r"(?m)^fragment (\w+) on", fragments)
    (folder / "src").mkdir(parents=True)
    (folder / "artifacts").mkdir()
    (folder / "relay.config.json").write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    operations = [path for path in FOLDER.glob("*.graphql") if path != FRAGMENTS]
    for path in operations:
        module = path.stem.title().replace("-", "")
        text = re.sub(
            r"(?m)^(query|mutation) \w+",
            lambda found, module=module: f"{found[1]} {module}{found[1].title()}",
            path.read_text(encoding="utf-8"),
        )
        _write(folder / f"src/{module}.ts", [text], names)
    _write(folder / "src/Fragments.ts", re.split(r"(?m)(?=^fragment )", fragments)[1:], names)
    return len(operations) + len(names)


def _write(path: Path, texts: list[str], fragments: list[str]) -> None:
    any_of = "|".join(fragments)
    tagged = [re.sub(rf"\b({any_of})\b", r"Fragments_\1", re.sub(r"(?m)^#.*\n", "", text)) for text in texts]
    lines = [f"export const it{number} = graphql`{text}`;" for number, text in enumerate(tagged)]
    path.write_text(MODULE.format("\n".join(lines)), encoding="utf-8")
