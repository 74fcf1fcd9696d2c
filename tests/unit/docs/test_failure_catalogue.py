"""docs/failure-catalogue.md names causes, scenarios and buttons that exist, and counts its rows right."""

import re
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest

from handlers.views.operation import command_label
from handlers.views.procedures import WORDS
from handlers.views.procedures.words import CauseWords, FindingWords
from sandbox.edge.scenarios import NAMES
from services.model import errors
from services.operations.deploy.causes import Cause as DeployCause
from services.operations.workload.words import Cause as WorkloadCause

PAGE = (Path(__file__).parents[3] / "docs" / "failure-catalogue.md").read_text(encoding="utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in re.split(r"^#+ ", PAGE, flags=re.MULTILINE) if text}
WORDS_OF: tuple[tuple[str, CauseWords | FindingWords], ...] = tuple(
    chain.from_iterable((*words.findings.items(), *words.causes.items()) for words in WORDS.values())
)
"""Of all kinds of operation: a cause of one may be called as a finding of another."""


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| failure |")]
    return [line.strip("| ").split(" | ") for line in lines]


def recognised(text: str) -> dict[str, str]:
    return {row[0]: row[2].strip("`") for row in rows(text) if row[2].startswith("`")}


def mended(text: str) -> dict[str, str]:
    return {row[0]: row[3] for row in rows(text) if not row[3].startswith("by hand")}


def test_every_cause_and_every_scenario_that_the_catalogue_names_exists() -> None:
    assert {*recognised(PAGE).values()} <= {str(code) for code, _ in WORDS_OF} | {*get_args(errors.InvalidRule)}
    assert set(re.findall(r"scenario `([a-z-]+)`", PAGE)) <= NAMES


def test_every_cause_of_a_deployment_and_of_a_workload_is_in_the_catalogue() -> None:
    assert {*map(str, (*DeployCause, *WorkloadCause))} - {*recognised(PAGE).values()} == set()


def test_every_button_that_the_catalogue_names_is_on_the_card_of_its_cause() -> None:
    buttons = {(str(code), command_label(words.command)) for code, words in WORDS_OF if words.command}
    retried = {(str(code), "Retry") for code, words in WORDS_OF if "retry" in str(vars(words).values()).lower()}
    offered = {(recognised(PAGE)[row], re.sub(r":.*", "", mending)) for row, mending in mended(PAGE).items()}

    assert offered - buttons - retried == {("name.pattern", "refused before anything is written")}


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_of_the_catalogue_counts_what_is_recognised_and_what_is_mended(section: str) -> None:
    text = SECTIONS[section]
    known, cured, total = len(recognised(text)), len(mended(text)), len(rows(text))

    assert (
        f"**{known} of {total} are recognised ({known / total:.0%}), and {cured} of {total} are mended from a"
        f" card ({cured / total:.0%}).**".replace("%", " %")
    ) in text


def test_of_what_microsofts_articles_name_most_is_recognised_and_mended() -> None:
    text = SECTIONS["The catalogue of failures"]

    assert (len(recognised(text)) / len(rows(text)) >= 0.9, len(mended(text)) / len(rows(text)) >= 0.75) == (True, True)
