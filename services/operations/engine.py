"""Workflows over plans as data, and a bound on how many run at once.

Whose turn it is the locks in the database say (`services.store.locks`); a run is started here when it holds them all.
Where several processes share the database, each starts what it has room for, and the run's id lets only one start it.
The shape of a workflow never changes: what a step does lives in its declaration, so that a newer bot continues an older
one's work. `run.v1` is what older versions queued, one at a time a cluster; it stays until none of theirs can be left.
Nothing in a workflow looks at an error's class, since a replayed step's error is another one; steps answer with data.
Every step may be repeated after a crash.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, closing, nullcontext
from contextvars import Context
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID
from dbos._error import DBOSWorkflowIDInUseError
from sqlalchemy import make_url

from services.model.errors import DatabaseAway
from services.model.fence import UNFENCED, Fence
from services.operations.occupation import Occupation, occupy
from services.ports import JsonObject, Run, Standing, Work
from services.store.executor_lease import LASTS

AT_ONCE = 20
"""Runs that work at the same time. Those that wait for others don't count, or the others would never get their turn."""
FIRST_QUEUE = "operations"
"""Of `run.v1`, partitioned by cluster."""
OLD_QUEUES = ("runs", "parents")
"""Of `run.v2` in versions that asked the database ten times a second whose turn it is."""
POLL = 5.0
"""Seconds between two looks for what older versions queued, where some of it waits."""
QUIET = 12
"""Times that, where none of it waits: replicas of an older version that still run take up their own."""
ALONE = "local"
"""Name in the engine of a process that has its database to itself, and of all processes of older versions."""
VERSION = "1"
"""Pinned: without it the engine would leave work behind that an older build of the bot began."""
RECOVERIES = 100
"""How often a run is taken up again after crashes before it is left alone."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two tries of a step while the database is away."""
LOST = frozenset({"ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED"})
"""Statuses of a workflow that the engine does not go on with."""
THREADS = 64
"""The engine replaces the loop's default executor; fewer threads than active workflows would block name look-ups."""

T = TypeVar("T")
log = structlog.get_logger("operations")
Workflow = Callable[..., Coroutine[Any, Any, Any]]


class Engine:
    """Starts workflows; at most one `Engine` is open in a process. `fence` is asked before every step.

    Each start is in a context of its own: from inside a step the engine would refuse it, and much begins with steps.
    """

    _engine: DBOS
    _work: Work
    _prepare: Workflow
    _run: Workflow
    _occupation: Occupation

    def __init__(self, fence: Fence = UNFENCED) -> None:
        self._steps = _Steps(fence)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._starts: dict[str, asyncio.Task[None]] = {}
        """By workflow, of the runs that wait for room or work."""

    async def open(self, url: str, work: Work, *, executor: str = ALONE, poll: float = POLL) -> None:
        """Start in the running loop, and with it everything that had begun before under the same `executor`.

        `url` as for the store; `poll` is the interval in seconds for what older versions queued. Raises `Occupied`.
        """
        self._occupation = await asyncio.to_thread(occupy, url)
        await asyncio.to_thread(_prepare_file, url)
        self._engine = DBOS(
            config=DBOSConfig(
                name="registry-bot",
                system_database_url=_engine_url(url),
                application_version=VERSION,
                executor_id=executor,
                serializer=DBOSPortableJSONSerializer(),
                max_executor_threads=THREADS,
                # A frozen process would keep the locks of a transaction, and nobody could take over.
                sys_db_idle_transaction_timeout_sec=LASTS,
                db_engine_kwargs=_connecting(url),
                console_log_level="ERROR",
                notification_listener_polling_interval_sec=0.5,
            )
        )
        self._work = work
        self._prepare, self._run = _workflows(work, self._steps, self.grant)
        DBOS.launch()
        # The thread that wakes delayed workflows and ends those past a deadline writes twice a second. There are none.
        self._engine._background_jobs_stop_event.set()  # noqa: SLF001 - no public name for it
        old = await DBOS.list_workflows_async(
            status="ENQUEUED", queue_name=[FIRST_QUEUE, *OLD_QUEUES], limit=1, load_input=False, load_output=False
        )
        interval = poll if old else poll * QUIET
        await DBOS.register_queue_async(
            FIRST_QUEUE, partition_concurrency=1, polling_interval_sec=interval, on_conflict="always_update"
        )
        for queue in OLD_QUEUES:
            await DBOS.register_queue_async(queue, polling_interval_sec=interval, on_conflict="always_update")

    async def prepare(self, operation: str) -> None:
        """In a context of its own, under a workflow id that makes a second call do nothing."""
        await asyncio.create_task(self._plan(operation), context=Context())

    async def _plan(self, operation: str) -> None:
        with SetWorkflowID(f"{operation}:plan"):
            await DBOS.start_workflow_async(self._prepare, operation)

    async def grant(self, around: str = "") -> None:
        """Start every run whose turn it is; one that has begun already, also by an older version, is left alone.

        With `around` only that operation's and those that lock what it locks.
        """
        await asyncio.create_task(self._grant(around), context=Context())

    async def _grant(self, around: str) -> None:
        try:
            for run in (await self._work.granted(around))["runs"]:
                workflow = run_id(run["operation"], run["attempt"])
                if workflow in self._starts or await DBOS.get_workflow_status_async(workflow) is not None:
                    continue
                room = nullcontext() if await self._work.waits(run["operation"]) else self._room
                if workflow not in self._starts:  # another grant may have come here during the questions
                    start = self._start(workflow, room, run["operation"], run["attempt"])
                    self._starts[workflow] = asyncio.create_task(start, context=Context())
        except DatabaseAway:
            return  # the store has logged it; the next sweep grants again
        except Exception:
            log.exception("grant_failed")

    async def _start(self, workflow: str, room: AbstractAsyncContextManager[Any], operation: str, attempt: int) -> None:
        """Play a run to its end as soon as there is room. A process that dies before gets it granted again."""
        try:
            async with room:
                with SetWorkflowID(workflow, workflow_id_reuse_policy="reject"):
                    run = await DBOS.start_workflow_async(self._run, operation, attempt)
                await run.get_result()
        except DBOSWorkflowIDInUseError:
            return  # another process had room earlier
        except Exception:
            # What broke in the run is stored with it, and `lost` tells.
            log.exception("run_broke", operation=operation, attempt=attempt)
        finally:
            del self._starts[workflow]

    async def standings(self, runs: Collection[Run]) -> dict[Run, Standing]:
        """See `ports.Starter`. A run is lost that crashed too often or broke.

        It is present while it waits for room, works or has ended, or the planning that grants it is not at its end.
        """
        statuses = await self._statuses(_workflow(run) for run in runs)
        absent = [run for run in runs if _workflow(run) not in statuses.keys() | self._starts.keys()]
        plannings = await self._statuses(f"{operation}:plan" for operation, attempt in absent if attempt == 1)
        absent = [run for run in absent if plannings.get(f"{run[0]}:plan") != "PENDING"]
        standings: dict[Run, Standing] = dict.fromkeys(runs, "present")
        standings.update(dict.fromkeys(absent, "absent"))
        standings.update((run, "lost") for run in runs if statuses.get(_workflow(run)) in LOST)
        return standings

    async def _statuses(self, workflows: Iterable[str]) -> dict[str, str]:
        """Of those of these workflows that have begun or are queued."""
        ids = list(workflows)
        if not ids:
            return {}
        begun = await DBOS.list_workflows_async(workflow_ids=ids, load_input=False, load_output=False)
        return {workflow.workflow_id: workflow.status for workflow in begun}

    async def interrupted(self) -> set[str]:
        """The processes whose workflows have begun and not ended."""
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        return {workflow.executor_id for workflow in pending if workflow.executor_id}

    async def recover(self, executors: Collection[str]) -> int:
        """Let the workflows of processes that are gone go on, here or wherever they are taken up first; how many.

        Repeating it does nothing: each workflow is claimed by one process, and is no longer that of its old one.
        """
        # The library has no public call that moves a workflow only while its old process has it.
        return len(await asyncio.to_thread(DBOS._recover_pending_workflows, list(executors)))  # noqa: SLF001

    async def check_alone(self) -> None:
        """Raises `Occupied` when another process works on this database, since this one's lock on it was lost."""
        await asyncio.to_thread(self._occupation.check)

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
            await DBOS.delete_workflows_async([workflow.workflow_id for workflow in ended], delete_children=True)
        return len(ended)

    async def close(self) -> None:
        """Stop; what is under way goes on at the next start, as after a crash."""
        # Before the engine goes: a workflow that went on without it would fail, and store that as its error. One that
        # is cancelled stores nothing (dbos._outcome), as if the process had been killed.
        starts = list(self._starts.values())
        for start in starts:
            start.cancel()
        await self._steps.stop()
        await asyncio.gather(*starts, return_exceptions=True)
        # The loop's default executor is the engine's and ends with it; whoever looks up names meanwhile needs one. What
        # others have given to its threads ends first: the engine would cancel it, and whoever waits for it with it.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        await asyncio.to_thread(self._engine._executor.shutdown)  # noqa: SLF001 - no public name for it
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        self._occupation.end()


async def open_engine(url: str, work: Work, *, poll: float = POLL) -> Engine:
    """An open engine; see `Engine.open`."""
    engine = Engine()
    await engine.open(url, work, poll=poll)
    return engine


def run_id(operation: str, attempt: int) -> str:
    """The workflow's id of one attempt."""
    return f"{operation}:run:{attempt}"


def _workflow(run: Run) -> str:
    operation, attempt = run
    return run_id(operation, attempt) if attempt else f"{operation}:plan"


class _Steps:
    """The steps that run in this process, each in its workflow's task."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopped = False

    async def run(self, name: str, function: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """A recorded step: after a crash its answer is read, or it is run again where there is none yet.

        One that meets a database that is away is repeated in the same way, until it is back.
        """
        if self._stopped:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await DBOS.run_step_async({"name": name}, _patiently, self._fence, function, *arguments)

    async def stop(self) -> None:
        """Stop all of them where they are, and begin no others."""
        self._stopped = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _patiently(fence: Fence, function: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
    """What the function answers, as soon as the database is there from its beginning to its end."""
    pause = FIRST_PAUSE
    while True:
        try:
            await fence.renew()
            return await function(*arguments)
        except DatabaseAway:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


class _Turns:
    """The parts of the work after which it may be somebody else's turn."""

    def __init__(self, work: Work, grant: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._grant = grant

    async def prepare(self, operation: str) -> JsonObject:
        answer = await self._work.prepare(operation)
        await self._grant(operation)
        return answer

    async def confirm(self, operation: str, attempt: int) -> JsonObject:
        answer = await self._work.confirm(operation, attempt)
        if not answer["steps"]:
            await self._grant(operation)
        return answer

    async def begin(self, operation: str, index: int) -> JsonObject:
        answer = await self._work.begin(operation, index)
        if answer.get("freed"):
            await self._grant(operation)
        return answer

    async def end(self, operation: str, outcome: JsonObject) -> None:
        await self._work.end(operation, outcome)
        await self._grant(operation)


def _workflows(
    work: Work, steps: _Steps, grant: Callable[[str], Coroutine[Any, Any, None]]
) -> tuple[Workflow, Workflow]:
    step, turns = steps.run, _Turns(work, grant)

    # Of both shapes as long as they are the same.
    async def play(operation: str, attempt: int) -> None:
        confirmed = await step("confirm", turns.confirm, operation, attempt)
        outcome: JsonObject = {"state": "done"}
        for index in confirmed["steps"]:
            outcome = await step(f"{index}.begin", turns.begin, operation, index)
            if outcome["state"] == "going":
                outcome = await step(f"{index}.wait", work.wait, operation, index, outcome)
            if outcome["state"] != "done":
                break
        if confirmed["steps"]:
            await step("end", turns.end, operation, outcome)

    @DBOS.workflow(name="run.v1", max_recovery_attempts=RECOVERIES)
    async def run_v1(operation: str, attempt: int) -> None:
        await play(operation, attempt)

    @DBOS.workflow(name="run.v2", max_recovery_attempts=RECOVERIES)
    async def run_v2(operation: str, attempt: int) -> None:
        await play(operation, attempt)

    @DBOS.workflow(name="prepare.v1", max_recovery_attempts=None)
    async def prepare_v1(operation: str) -> None:
        answer = await step("prepare", turns.prepare, operation)
        if "run" in answer:  # of an older version, which died before it queued the run
            place = SetEnqueueOptions(queue_partition_key=answer["cluster"], priority=answer["turn"])
            with SetWorkflowID(run_id(operation, answer["run"])), place:
                await DBOS.enqueue_workflow_async(FIRST_QUEUE, run_v1, operation, answer["run"])

    return prepare_v1, run_v2


def _prepare_file(url: str) -> None:
    """Make the engine's own file readable for this user alone, and written ahead: the engine sets neither. Blocks."""
    if not url.startswith("sqlite"):
        return
    file = _engine_file(Path(str(make_url(url).database)))
    file.touch(mode=0o600)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _connecting(url: str) -> dict[str, Any]:
    """How the engine opens its database. Its SQLite file is as durable as the store's: a kill loses nothing.

    Each of a deployment's thirty checkpoints would wait for the disk otherwise, and beside a store that does not, it
    would gain nothing: after a power failure a step looks before it acts, whichever of the two has forgotten it.
    """

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    # A connection to a file does not break, so it is not tried before each use.
    return {"pool_events": [(prepare, "connect")], "pool_pre_ping": False} if url.startswith("sqlite") else {}


def _engine_url(url: str) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return f"sqlite:///{_engine_file(Path(str(parsed.database)))}"


def _engine_file(path: Path) -> Path:
    """A file of its own: both write all the time, and SQLite has one writer a file."""
    return path.with_name(f"{path.stem}-engine{path.suffix}")
