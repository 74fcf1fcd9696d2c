"""Two workflows over plans as data, and the queue that lets one operation at a time run at a cluster.

Their shape never changes: what a step does lives in its declaration, so that a newer bot continues an older one's work.
For another shape a `run.v2` is registered beside `run.v1`. Nothing in a workflow looks at an error's class, since a
replayed step's error is another one; steps answer with data. Every step may be repeated after a crash.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import make_url

from services.ports import Answer, Work

QUEUE = "operations"
LOCK = 7_255_310
"""Number of the advisory lock; any that nobody else uses in this database."""
VERSION = "1"
"""Pinned: without it the engine would leave work behind that an older build of the bot began."""
RECOVERIES = 100
"""How often a run is taken up again after crashes before it is left alone."""
THREADS = 64
"""The engine replaces the loop's default executor; fewer threads than active workflows would block name look-ups."""

T = TypeVar("T")
Workflow = Callable[..., Coroutine[Any, Any, Any]]


class Occupied(Exception):
    """Another process works on this database file; the text says what to do."""


class Engine:
    """Starts workflows; at most one `Engine` is open in a process."""

    def __init__(self, work: Work, let_go: Callable[[], None]) -> None:
        self._steps = _Steps()
        self._prepare, self._run = _workflows(work, self._steps)
        self._let_go = let_go

    async def prepare(self, operation: str) -> None:
        """Start planning; a second call for the same operation does nothing."""
        with SetWorkflowID(f"{operation}:plan"):
            await DBOS.start_workflow_async(self._prepare, operation)

    async def run(self, operation: str, attempt: int, cluster: str, turn: int) -> None:
        """Queue a run at a cluster, behind those with lower turns; a second call for the same attempt does nothing."""
        with SetWorkflowID(run_id(operation, attempt)), _place(cluster, turn):
            await DBOS.enqueue_workflow_async(QUEUE, self._run, operation, attempt)

    async def lost(self, operation: str, attempt: int) -> bool:
        """Whether the engine has given this run up (it crashed too often, or broke), or knows nothing of it."""
        status = await DBOS.get_workflow_status_async(run_id(operation, attempt))
        return status is None or status.status in {"ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED"}

    async def forget(self, before: datetime) -> int:
        """Delete up to a hundred workflows that ended before that time; how many."""
        ended = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            completed_before=before.isoformat(),
            limit=100,
            load_input=False,
            load_output=False,
        )
        if ended:
            await DBOS.delete_workflows_async([one.workflow_id for one in ended], delete_children=True)
        return len(ended)

    async def close(self) -> None:
        """Stop; what is under way goes on at the next start, as after a crash."""
        # The loop's default executor is the engine's and ends with it; whoever looks up names meanwhile needs one.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        # Only now, when nothing is recorded any more: a step that is cancelled must not count as one that failed.
        await self._steps.cancel()
        self._let_go()


async def open_engine(url: str, work: Work, *, executor: str = "local", poll: float = 0.1) -> Engine:
    """Start the engine in the running loop, and with it everything that had begun before.

    `url` as for the store; `poll` is the queue's interval in seconds. Raises `Occupied`.
    """
    let_go = await asyncio.to_thread(_occupy, url)
    DBOS(
        config=DBOSConfig(
            name="registry-bot",
            system_database_url=_engine_url(url),
            application_version=VERSION,
            executor_id=executor,
            serializer=DBOSPortableJSONSerializer(),
            max_executor_threads=THREADS,
            console_log_level="ERROR",
            notification_listener_polling_interval_sec=0.5,
            scheduler_polling_interval_sec=1,
        )
    )
    engine = Engine(work, let_go)
    DBOS.launch()
    await DBOS.register_queue_async(
        QUEUE,
        partition_concurrency=1,
        worker_concurrency=20,
        global_concurrency=50,
        polling_interval_sec=poll,
        on_conflict="always_update",
    )
    return engine


def _place(cluster: str, turn: int) -> SetEnqueueOptions:
    """A place in the queue that a run keeps over a restart.

    By itself the engine goes by the time of queueing, on SQLite in whole seconds: a run that a crash interrupted could
    come after one that was queued in the same second.
    """
    return SetEnqueueOptions(queue_partition_key=cluster, priority=turn)


def run_id(operation: str, attempt: int) -> str:
    """The workflow's id of one attempt."""
    return f"{operation}:run:{attempt}"


class _Steps:
    """The steps that run in this process, each in its workflow's task."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, name: str, function: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """A recorded step: after a crash its answer is read, or it is run again where there is none yet."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await DBOS.run_step_async({"name": name}, function, *arguments)

    async def cancel(self) -> None:
        """Stop them all where they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _workflows(work: Work, steps: _Steps) -> tuple[Workflow, Workflow]:
    step = steps.run

    @DBOS.workflow(name="run.v1", max_recovery_attempts=RECOVERIES)
    async def run_v1(operation: str, attempt: int) -> None:
        confirmed = await step("confirm", work.confirm, operation, attempt)
        outcome: Answer = {"state": "done"}
        for index in confirmed["steps"]:
            outcome = await step(f"{index}.begin", work.begin, operation, index)
            if outcome["state"] == "going":
                outcome = await step(f"{index}.wait", work.wait, operation, index, outcome)
            if outcome["state"] != "done":
                break
        if confirmed["steps"]:
            await step("end", work.end, operation, outcome)

    @DBOS.workflow(name="prepare.v1", max_recovery_attempts=None)
    async def prepare_v1(operation: str) -> None:
        made = await step("prepare", work.prepare, operation)
        if "run" in made:
            with SetWorkflowID(run_id(operation, made["run"])), _place(made["cluster"], made["turn"]):
                await DBOS.enqueue_workflow_async(QUEUE, run_v1, operation, made["run"])

    return prepare_v1, run_v1


def _occupy(url: str) -> Callable[[], None]:
    """Keep other processes off the database: at its start a second one would take over live work. Blocks.

    What comes back lets it go again; so does the end of the process.
    """
    if not url.startswith("sqlite"):
        return _occupy_server(url)
    path = Path(str(make_url(url).database))
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Occupied(
            f"another bot works on {path}: stop it, or give this one a folder of its own (REGISTRY_BOT_DATA_DIR)"
        ) from None
    _engine_file(path).touch(mode=0o600)
    engine = sqlite3.connect(_engine_file(path))
    engine.execute("PRAGMA journal_mode=WAL")  # it persists; the engine does not set it
    engine.close()
    return lambda: os.close(lock)


def _occupy_server(url: str) -> Callable[[], None]:
    """On PostgreSQL a session's advisory lock, which the server gives up when the connection breaks."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(address, autocommit=True)
    row = connection.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
    if row is None or not row[0]:
        connection.close()
        raise Occupied("another bot works on this database: stop it, or give this one a database of its own")
    return connection.close


def _engine_url(url: str) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return f"sqlite:///{_engine_file(Path(str(parsed.database)))}"


def _engine_file(path: Path) -> Path:
    """A file of its own: both write all the time, and SQLite has one writer a file."""
    return path.with_name(f"{path.stem}-engine{path.suffix}")
