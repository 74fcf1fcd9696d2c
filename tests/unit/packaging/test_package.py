"""What `pip install .` brings along."""

import re
import tomllib
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("bot", "handlers", "services")


def packed(path: Path) -> bool:
    """Whether a file that is not code is in the package's data."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    patterns = PROJECT["tool"]["setuptools"]["package-data"].get(package, ())
    return any(fnmatchcase(path.name, pattern) for pattern in patterns)


def wanted(set_: str) -> set[str]:
    """Names in a file of requirements."""
    lines = (ROOT / "requirements" / f"{set_}.in").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("-", "#"))}


def canonical(name: str) -> str:
    """As registries compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(set_: str) -> dict[str, str]:
    """Version by package."""
    text = (ROOT / "requirements" / f"{set_}.txt").read_text(encoding="utf-8")
    return {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)}


def test_every_file_beside_the_code_is_packed() -> None:
    files = [
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]

    assert [str(path) for path in files if not packed(path)] == []


def test_the_command_leads_to_a_function() -> None:
    for place in PROJECT["project"]["scripts"].values():
        module, _, name = place.partition(":")

        assert callable(getattr(import_module(module), name))


def test_the_sandbox_is_a_distribution_of_its_own() -> None:
    patterns = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert {name for name in folders if any(fnmatchcase(name, pattern) for pattern in patterns)} == set(PACKAGES)


@pytest.mark.parametrize("set_", ["runtime", "traces", "sandbox", "test"])
def test_every_wanted_package_is_pinned(set_: str) -> None:
    names = {canonical(re.split(r"[\[<>=~!;, ]", line)[0]) for line in wanted(set_)}

    assert names <= set(pins(set_)), "run `make pins`"


def test_tests_run_with_the_versions_that_the_bot_runs_with() -> None:
    tested = pins("test")

    assert {name: tested.get(name) for name in pins("runtime")} == pins("runtime")
    assert {name: tested.get(name) for name in pins("traces")} == pins("traces")
    assert {name: tested.get(name) for name in pins("sandbox")} == pins("sandbox")
