"""What `pip install ./sandbox` brings along."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import sandbox

FOLDER = Path(sandbox.__file__).parent
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
BESIDE_THE_PACKAGE = {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml"}
"""Files of the distribution that lie in the package's folder and are not its data."""


def files() -> set[Path]:
    """All files but those of the tests and of former builds."""
    folders = [path for path in FOLDER.iterdir() if (path / "__init__.py").is_file()]
    nested = {path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    return nested | {path for path in FOLDER.glob("*") if path.is_file() and path.name not in BESIDE_THE_PACKAGE}


def package_folder(package: str) -> Path:
    """Where a package's files are."""
    return FOLDER.joinpath(*package.split(".")[1:])


def test_every_package_is_listed() -> None:
    folders = {path.parent for path in files() if path.name == "__init__.py"}

    assert {package_folder(package) for package in PROJECT["tool"]["setuptools"]["packages"]} == folders


def test_every_file_beside_the_code_is_packed() -> None:
    packed = {
        path
        for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in package_folder(package).glob(pattern)
    }

    assert {path for path in files() if path.suffix != ".py"} == packed


def test_the_command_leads_to_a_function() -> None:
    for place in PROJECT["project"]["scripts"].values():
        module, _, name = place.partition(":")

        assert callable(getattr(import_module(module), name))


def test_it_depends_on_what_a_clone_installs_for_it() -> None:
    lines = (FOLDER.parent / "requirements" / "sandbox.in").read_text(encoding="utf-8").splitlines()

    assert set(PROJECT["project"]["dependencies"]) == {line for line in lines if re.match(r"\w", line)}
