"""The pages in docs/ say what the code declares, and point to what exists."""

import re
from pathlib import Path
from typing import get_args

import pytest

from bot import manifest
from bot.__main__ import pages
from handlers import COMMANDS
from services.policy.sites import Access

ROOT = Path(__file__).parents[3]
WRITTEN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("sandbox/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_fresh(name: str) -> None:
    page = ROOT / "docs" / name

    assert page.read_text(encoding="utf-8") == pages()[name], f"docs/{name} is out of date; run `make docs`"


def test_the_manifest_is_fresh() -> None:
    written = (ROOT / "manifest.yml").read_text(encoding="utf-8")

    assert written == manifest.text(manifest.manifest(COMMANDS)), "run: python -m bot manifest > manifest.yml"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    dead = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not leads_somewhere(page, link)]

    assert not dead


def test_the_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = set(re.findall(r"/registry ([a-z]+)", readme))

    assert said <= {command.name.split()[0] for command in COMMANDS}


def test_the_ladder_of_access_has_a_row_for_each_way_to_a_cluster() -> None:
    connect = (ROOT / "docs" / "connect.md").read_text(encoding="utf-8")
    ladder = connect.partition("### How the bot reaches a cluster")[2].partition("\n###")[0]

    assert set(re.findall(r"^\| `(\w+)`", ladder, re.MULTILINE)) - {"access"} == set(get_args(Access))


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", page.read_text(encoding="utf-8"))

    assert not [(path, name) for path, name in named if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")]


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether a link within the repository has its target; others are not followed."""
    if "://" in link:
        return True
    path, _, heading = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not heading or heading in headings(target))


def headings(page: Path) -> set[str]:
    """Anchors as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
