"""docs/surface.md names only what exists, and counts its rows right."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from handlers import COMMANDS
from services.policy.sites import Site

PAGE = (Path(__file__).parents[3] / "docs" / "surface.md").read_text(encoding="utf-8")
ANSWERS = re.findall(r"^\| `.+ \| (?!here)(.+) \|$", PAGE, re.MULTILINE)
"""The second column of all rows."""
NAMED = {word for answer in ANSWERS for word in re.findall(r"`([^`]+)`", answer)}
KEY = re.compile(r"[a-z_]+(\.[a-z_]+)+")
OPTIONS = {command.name: {parameter.option for parameter in command.parameters} for command in COMMANDS}


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """All keys of a part of the site file, with their sections."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from keys(kind, f"{prefix}{name}.")


def test_every_key_that_the_surface_names_is_one_of_the_site_file() -> None:
    assert {word for word in NAMED if KEY.fullmatch(word)} <= set(keys(Site))


def test_every_command_that_the_surface_names_has_the_options_that_it_names() -> None:
    lines = [re.split(r" (?=--|[A-Z])", line) for line in NAMED if not KEY.fullmatch(line)]

    assert {command for command, *_ in lines} <= set(OPTIONS)
    assert [(command, words) for command, *words in lines if not set(words) - {"NAME"} <= OPTIONS[command]] == []


def test_the_surface_counts_what_is_here() -> None:
    here = sum(not answer.startswith("not here: ") for answer in ANSWERS)

    assert (
        f"**{here} of {len(ANSWERS)} rows have an answer here ({here / len(ANSWERS):.0%}).**".replace("%", " %") in PAGE
    )
