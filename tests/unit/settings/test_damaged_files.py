"""Site and access files of which parts are missing, misspelt or something else: taken, or refused with every problem."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.configuration import load
from bot.problems import Broken
from tests.fuzzing import damaged, fuzzed

FOLDER = Path(__file__).parents[3] / "config" / "sandbox"
SITES = (FOLDER / "sites.yaml").read_text(encoding="utf-8")
ACCESS = (FOLDER / "access.yaml").read_text(encoding="utf-8")
CHARACTERS = st.sampled_from(
    [*"\t :-[]{}&*!|>'\"#%@`,?~\n0é\x00\x1b", "- ", "<<: *a", "!!int ", "2026-13-45", "&a [*a]"]
)


@st.composite
def mistyped(draw: st.DrawFn, text: str) -> str:
    """The text with something typed into it, or cut out of it, in up to three places."""
    for _ in range(draw(st.integers(1, 3))):
        place, length = draw(st.integers(0, len(text))), draw(st.integers(0, 8))
        text = text[:place] + draw(CHARACTERS) + text[place + length :]
    return text


@fuzzed
@given(
    sites=damaged(yaml.safe_load(SITES)).map(yaml.safe_dump) | mistyped(SITES),
    access=damaged(yaml.safe_load(ACCESS)).map(yaml.safe_dump) | mistyped(ACCESS),
)
def test_a_damaged_file_is_taken_or_refused_with_its_problems(sites: str, access: str, tmp_path: Path) -> None:
    files: list[Any] = [tmp_path / "sites.yaml", tmp_path / "access.yaml"]
    for file, text in zip(files, (sites, access), strict=True):
        file.write_text(text, encoding="utf-8")
    problems: tuple[object, ...] = ("none",)
    try:
        load(*files)
    except Broken as error:
        problems = error.problems
    assert problems
