"""docs/failure-catalogue.md names causes, scenarios and buttons that exist, and counts its rows right."""

import re
from itertools import chain
from pathlib import Path
from typing import get_args

from handlers.views.operation import command_label
from handlers.views.procedures import WORDS
from handlers.views.procedures.words import CauseWords, FindingWords
from sandbox.edge.scenarios import NAMES
from services.model import errors

PAGE = (Path(__file__).parents[3] / "docs" / "failure-catalogue.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| [^f-]", line)]
WORDS_OF: tuple[tuple[str, CauseWords | FindingWords], ...] = tuple(
    chain.from_iterable((*words.findings.items(), *words.causes.items()) for words in WORDS.values())
)
"""Of all kinds of operation: a cause of one may be called as a finding of another."""
RECOGNISED = {row[0]: row[2].strip("`") for row in ROWS if row[2].startswith("`")}
MENDED = {row[0]: row[3] for row in ROWS if not row[3].startswith("by hand")}


def test_every_cause_and_every_scenario_that_the_catalogue_names_exists() -> None:
    assert set(RECOGNISED.values()) <= {str(code) for code, _ in WORDS_OF} | {*get_args(errors.InvalidRule)}
    assert set(re.findall(r"scenario `([a-z-]+)`", PAGE)) <= NAMES


def test_every_button_that_the_catalogue_names_is_on_the_card_of_its_cause() -> None:
    buttons = {(str(code), command_label(words.command)) for code, words in WORDS_OF if words.command}
    retried = {(str(code), "Retry") for code, words in WORDS_OF if "retry" in str(vars(words).values()).lower()}
    offered = {(RECOGNISED[row], re.sub(r":.*", "", mending)) for row, mending in MENDED.items()}

    assert offered - buttons - retried == {("name.pattern", "refused before anything is written")}


def test_the_catalogue_counts_what_is_recognised_and_what_is_mended() -> None:
    recognised, mended, rows = len(RECOGNISED), len(MENDED), len(ROWS)

    assert (
        f"**{recognised} of {rows} are recognised ({recognised / rows:.0%}), and {mended} of {rows} are mended from a"
        f" card ({mended / rows:.0%}).**".replace("%", " %")
    ) in PAGE
    assert (recognised / rows >= 0.9, mended / rows >= 0.75) == (True, True)
