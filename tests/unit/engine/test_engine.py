"""The durable engine: one process a file,  after a crash it goes on where it was."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS, EnqueueOptions

from services.operations.engine import open_engine, run_id
from tests.unit.engine.worker import Diary

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[3]
PLANNING = "op-one prepare"
WHOLE = [
    PLANNING,
    "op-one confirm 1",
    "op-one begin 0",
    "op-one begin 2",
    "op-one wait 2 followed",
    "op-one begin 3",
    "op-one end done",
]


def work(folder: Path, die_at: str = "") -> subprocess.CompletedProcess[str]:
    """A whole life of a worker; at its end the log tells what it did."""
    return subprocess.run(
        [sys.executable, WORKER, folder / "bot.db", folder / "log", die_at],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def lines(folder: Path) -> list[str]:
    return (folder / "log").read_text(encoding="utf-8").splitlines()


def test_the_steps_run_in_their_order(tmp_path: Path) -> None:
    assert work(tmp_path).returncode == 0
    assert lines(tmp_path) == WHOLE


@pytest.mark.parametrize("die_at", [PLANNING, "op-one begin 2", "op-one end done"])
def test_after_a_crash_only_the_step_that_it_interrupted_is_repeated(tmp_path: Path, die_at: str) -> None:
    assert work(tmp_path, die_at).returncode < 0
    assert work(tmp_path).returncode == 0
    repeated = Counter(lines(tmp_path)) - Counter(WHOLE)
    # The planning starts the run, which may be anywhere before the end of the planning is recorded.
    assert repeated in (Counter([die_at]), Counter([die_at, PLANNING]))
    assert set(lines(tmp_path)) == set(WHOLE)


@pytest.mark.parametrize("inside", [True, False], ids=["in every step", "right after every step"])
async def test_a_stop_ends_like_a_kill(tmp_path: Path, inside: bool) -> None:
    for line in WHOLE:
        diary = Diary(tmp_path / "log", "", pause_at=line, inside=inside)
        engine = await open_engine(f"sqlite:///{tmp_path / 'bot.db'}", diary, poll=0.02)
        await engine.prepare("op-one")
        await first_of(diary.paused.wait(), has_ended())
        await engine.close()
    engine = await open_engine(f"sqlite:///{tmp_path / 'bot.db'}", Diary(tmp_path / "log", ""), poll=0.02)
    status = await has_ended()
    await engine.close()

    assert (status, set(lines(tmp_path))) == ("SUCCESS", set(WHOLE))


async def first_of(*waits: Coroutine[Any, Any, Any]) -> None:
    """Return when one of them does."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def has_ended() -> str:
    """The status of the run, once it has ended."""
    async with asyncio.timeout(60):
        while True:
            status = await DBOS.get_workflow_status_async(run_id("op-one", 1))
            if status is not None and status.status not in {"PENDING", "ENQUEUED"}:
                return str(status.status)
            await asyncio.sleep(0.02)


async def test_a_second_process_is_kept_off_the_file(tmp_path: Path) -> None:
    engine = await open_engine(f"sqlite:///{tmp_path / 'bot.db'}", Diary(tmp_path / "log", ""))
    second = await asyncio.to_thread(work, tmp_path)
    await engine.close()

    assert "another bot works on" in second.stdout


async def test_a_file_is_free_again_when_its_process_is_gone(tmp_path: Path) -> None:
    for _ in range(2):
        engine = await open_engine(f"sqlite:///{tmp_path / 'bot.db'}", Diary(tmp_path / "log", ""))
        await engine.close()


async def test_asking_twice_for_the_same_work_begins_it_once(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "log", "")
    engine = await open_engine(f"sqlite:///{tmp_path / 'bot.db'}", diary, poll=0.02)
    await asyncio.gather(*(engine.prepare("op-one") for _ in range(3)))
    await asyncio.gather(*(engine.grant() for _ in range(3)))
    await diary.ended.wait()
    await engine.grant()
    await engine.close()

    assert lines(tmp_path) == WHOLE


async def test_a_run_that_an_older_version_queued_ends_and_is_not_started_again(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "log", "")
    engine = await open_engine(f"sqlite:///{tmp_path / 'bot.db'}", diary, poll=0.02)
    older: EnqueueOptions = {
        "workflow_name": "run.v1",
        "queue_name": "operations",
        "queue_partition_key": "/arc",
        "workflow_id": run_id("op-one", 1),
        "app_version": "1",
    }
    await DBOS.enqueue_workflow_with_options_async(older, "op-one", 1)
    assert await engine.standings([("op-one", 1)]) == {("op-one", 1): "present"}
    await engine.grant()
    await diary.ended.wait()
    await engine.close()

    assert lines(tmp_path) == WHOLE[1:]
