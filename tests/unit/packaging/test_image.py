"""The Dockerfile, as far as it can be tried without a container engine."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.http import HttpServer
from bot.settings import NAMES

ROOT = Path(__file__).parents[3]
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
LET_IN = [
    line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if "!" in line
]


def last(word: str) -> str:
    """The arguments of an instruction; the last one counts."""
    return next(line.removeprefix(word).strip() for line in reversed(LINES) if line.strip().startswith(word))


def copied() -> list[tuple[str, str]]:
    """What comes from the repository, and where to."""
    words = [line.split()[1:] for line in LINES if line.startswith("COPY ") and "--from" not in line]
    return [(source, target) for *sources, target in words for source in sources]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder /app of the image."""
    for source, target in copied():
        if target.startswith("/app/"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, tmp_path / target.removeprefix("/app/"), ignore=ignored)
    return tmp_path


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async def trouble() -> dict[str, str]:
        return {}

    async def metrics() -> bytes:
        return b""

    server = HttpServer("127.0.0.1", 0, (), trouble, metrics)
    await server.start()
    yield server
    await server.stop()


def entry(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the image's entry point with this environment's Python."""
    _, *words = json.loads(last("ENTRYPOINT"))
    return subprocess.run(
        [sys.executable, *words, *arguments], cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


async def health(port: str) -> int:
    """The exit code of the image's health check."""
    _, *words = json.loads(last("HEALTHCHECK").split("CMD", 1)[1])
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env={"REGISTRY_BOT_HTTP_PORT": port}, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


def test_what_it_copies_exists_and_is_let_into_the_build() -> None:
    for source, _ in copied():
        assert (ROOT / source).exists()
        assert any(fnmatchcase(source, pattern) for pattern in LET_IN), f"{source} is not in .dockerignore"


def test_it_holds_no_stand_ins_tests_or_configuration() -> None:
    assert not {source.split("/")[0] for source, _ in copied()} & {"sandbox", "tests", "config"}


def test_its_code_is_complete(image: Path) -> None:
    ended = entry("manifest", folder=image)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (ROOT / "manifest.yml").read_text(encoding="utf-8")


def test_started_without_settings_it_says_what_it_lacks_and_ends(image: Path) -> None:
    ended = entry(*json.loads(last("CMD")), folder=image)

    assert ended.returncode == 1
    assert "SLACK_BOT_TOKEN: is not set" in ended.stderr


def test_it_runs_as_somebody_who_is_not_root_by_number() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last("USER"))


def test_what_it_sets_are_settings() -> None:
    named = set(re.findall(r"\b(REGISTRY_BOT_\w+)=", "\n".join(LINES)))

    assert named <= set(NAMES)
    assert "REGISTRY_BOT_DATA_DIR" in named


def test_everything_is_installed_by_hash() -> None:
    installs = [line for line in LINES if "pip install" in line]

    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_its_base_is_one_image_by_its_digest_and_without_a_registry() -> None:
    (base,) = {line.split()[1] for line in LINES if line.startswith("FROM ")}

    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)


async def test_its_health_check_succeeds_when_the_bot_answers(server: HttpServer) -> None:
    assert await health(server.url.rsplit(":", 1)[1]) == 0


async def test_its_health_check_fails_when_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses

        assert await health(str(taken.getsockname()[1])) == 1


def test_the_sandbox_settings_are_settings() -> None:
    assert set(dotenv_values(ROOT / "config" / "sandbox" / "bot.env")) <= set(NAMES)
