"""The sentences that people read in Slack, collected from the code for the catalogues of the languages.

`python -m tests.languages` adds to each catalogue what is missing, without a translation, and takes out what no code says
any more.
"""

import ast
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from handlers import COMMANDS
from handlers.kit.catalogue import Catalogue
from handlers.views import refusals
from handlers.views.procedures import WORDS
from services.model.errors import NameKind
from services.operations.procedures import PROCEDURES

ROOT = Path(__file__).parent.parent
CATALOGUES = ROOT / "handlers" / "languages"
SPEAKING = ("handlers", "bot/slack", "bot/messages")
"""Folders whose modules say something to people in Slack."""
_WORDS = {
    "t": (0,),
    "phrase": (0,),
    "FindingWords": (0, 1),
    "CauseWords": (0, 1),
    "StepWords": (0, 1),
    "ProcedureWords": (0, 1),
    "Refusal": (0, 1),
    "replace": (),
}
"""The positions of the sentences among the arguments."""
_NAMED = frozenset({"title", "success", "idle", "retry", "remedy", "fix", "sentence", "details"})
"""The same for arguments by name."""


def sentences() -> frozenset[str]:
    """Every sentence in English, as the code looks it up."""
    texts: set[str] = set()
    for folder in SPEAKING:
        for path in sorted((ROOT / folder).rglob("*.py")):
            texts.update(_in_module(ast.parse(path.read_text(encoding="utf-8"))))
    texts.update(_of_commands())
    texts.update(_of_procedures())
    texts.update(get_args(NameKind))
    for procedure in map(PROCEDURES.__getitem__, PROCEDURES.kinds):
        for check in procedure.checks:
            texts.update((check.title, *check.proofs))
    return frozenset(text for text in texts if text.strip())


def _in_module(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "count":
            yield from _nouns(node.args[1:])
        for position in _WORDS.get(node.func.id, ()):
            yield from _texts(node.args[position : position + 1])
        if node.func.id in _WORDS and node.func.id != "t":
            yield from _texts(keyword.value for keyword in node.keywords if keyword.arg in _NAMED)


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """The texts that an argument can be: one, or several of which a condition chooses."""
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.IfExp(body=body, orelse=orelse):
                yield from _texts((body, orelse))
            case ast.BoolOp(values=values):
                yield from _texts(values)


def _nouns(nodes: list[ast.expr]) -> Iterator[str]:
    """The nouns that `count` puts behind a number, for one and for several."""
    texts = list(_texts(nodes))
    for noun in [*texts, f"{texts[0]}s"] if len(texts) == 1 else texts:
        yield f"{{number}} {noun}"


def _of_procedures() -> Iterator[str]:
    """Words of refusals, causes and findings, some of which are put together of others."""
    for refusal in (*refusals.WORDS.values(), *refusals.KUBECONFIG.values()):
        yield from (refusal.sentence, refusal.remedy)
    for words in WORDS.values():
        for cause in words.causes.values():
            yield from (cause.sentence, cause.remedy, cause.retry)
        for finding in words.findings.values():
            yield from (finding.sentence, finding.fix)


def _of_commands() -> Iterator[str]:
    for command in Catalogue(COMMANDS):
        yield from (command.group, command.summary, command.description)
        yield from (parameter.help for parameter in command.parameters)


def main() -> None:
    """Bring the catalogues up to date."""
    for path in sorted(CATALOGUES.glob("*.json")):
        catalogue = json.loads(path.read_text(encoding="utf-8"))
        entries = {text: catalogue.get(text, "") for text in sorted(sentences())}
        path.write_text(json.dumps(entries, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path.name}: {sum(map(bool, entries.values()))} of {len(entries)} sentences\n")


if __name__ == "__main__":
    main()
