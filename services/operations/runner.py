"""What the durable workflows call: plan, confirm, play the steps, tidy up.

Every function may be called again after a crash and then finds what it did before. Domain errors become answers here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from services.model.audit import AuditRow, AuditSelection
from services.model.clock import Clock
from services.model.codec import decode, encode
from services.model.errors import (
    Busy,
    DatabaseAway,
    DomainError,
    Failure,
    Foreign,
    NameTaken,
    Throttled,
    Unreachable,
)
from services.model.operation import (
    ENDED,
    ApprovalRequest,
    Note,
    Operation,
    Outcome,
    PasswordLeft,
    Paused,
    State,
    StepState,
    StillUnderWay,
)
from services.model.plan import Plan, PlannedStep
from services.operations.causes import EngineCause, defect
from services.operations.digest import covers
from services.operations.planner import FRESH, Planner, requested
from services.operations.procedure import Procedures
from services.operations.reach import cluster_of
from services.operations.step import Children, Done, Going, Progress, Scene, Step
from services.ports import Azure, JsonObject, Kubernetes
from services.store import Store
from services.tally import Tally

T = TypeVar("T")
log = structlog.get_logger("operations")

FIRST_PAUSE = 0.2
"""Seconds before the second question; the pause grows with the time waited, up to the step's own interval."""
GROWTH = 15
"""A pause is the time waited divided by this: the end of what takes long is noticed late in proportion at most."""
LONGEST_PAUSE = 2.0
"""Seconds after which a longer pause is interrupted to see whether somebody has cancelled the operation."""
RECENT = timedelta(minutes=1)
"""For how long what a step has written may not be known everywhere in Azure."""
LONGEST_LOOK = 30.0
"""Seconds for the look at what a stopped run has left."""
PATIENCE = timedelta(minutes=5)
"""For how long a step goes on asking a system that can't be reached."""
CANCELLED: JsonObject = {"state": "stopped", "why": "cancelled"}


@dataclass(frozen=True)
class _Cancelled:
    """Somebody has cancelled the operation while a step was asking again and again."""


class Runner:
    """Plays operations.

    `changed` is called with an operation's id whenever people should see something new, and `progressed` when its steps
    have moved on, which nobody waits for.

    `pace` scales the pauses between questions, `patience` how long is waited for what may pass by itself.
    """

    def __init__(
        self,
        store: Store,
        planner: Planner,
        procedures: Procedures,
        azure: Azure,
        kubernetes: Kubernetes,
        *,
        children: Children,
        changed: Callable[[str], None],
        progressed: Callable[[str], None],
        clock: Clock,
        pace: float = 1,
        patience: float = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._planner = planner
        self._procedures = procedures
        self._azure = azure
        self._kubernetes = kubernetes
        self._children = children
        self._changed = changed
        self._progressed = progressed
        self._clock = clock
        self._pace = pace
        self._patience = patience
        self._environment = environment or {}
        self.steps = Tally()
        """Steps that have ended, by kind of step and state."""

    # --- planning ---------------------------------------------------------------------------------------------------

    async def prepare(self, operation: str) -> JsonObject:
        """Make the plan and move on: blocked, shown, waiting for approval, or to be run at once."""
        planning = await self._get(operation)
        if planning.state != "planning":
            return {}
        try:
            plan = await self._planner.plan(planning)
            request = await self._planner.approval_request(planning, plan)
        except Exception as error:  # noqa: BLE001 - `_cause` sorts them
            await self._fail(planning, "planning", _cause(error, operation))
            return {}
        await self._planned(planning, plan, request)
        return {}

    async def granted(self, around: str = "") -> JsonObject:
        """Runs whose turn it is: queued operations that hold all their locks."""
        rivals = await self._store.locks.rivals(around) if around else None
        granted = await self._store.locks.grant(rivals)
        # Only those are read whose card has to change: with many in the queue, all of them at each grant would be the
        # most of the work.
        for operation in await self._store.messages.queued_behind(rivals):
            self._changed(operation)
        return {"runs": [{"operation": operation, "attempt": attempt} for operation, attempt in granted]}

    async def waits(self, operation: str) -> bool:
        """Whether a run does nothing but wait for other operations, which it starts."""
        return any(step.starts_child for step in (await self._get(operation)).planned)

    async def _planned(self, operation: Operation, plan: Plan, request: ApprovalRequest | None) -> None:
        to: State
        changes: dict[str, Any] = {}
        if plan.blockers:
            to, changes = "blocked", {"ended_at": self._clock.now()}
        elif operation.dry_run:
            to, changes = "previewed", {"ended_at": self._clock.now()}
        elif not any(step.runs for step in plan.steps):
            to, changes = "succeeded", {"ended_at": self._clock.now(), "event": "ended"}
        elif request:
            to, changes = "waiting", requested(request)
        else:
            to, changes = "queued", {"attempt": 1}
        moved = await self._store.operations.plan(operation.id, plan, ["planning"], to, **changes)
        if not moved or to in ENDED:  # not moved: somebody has cancelled it meanwhile
            await self._store.leases.release(operation.id)
        log.info("planned", operation=operation.id, state=to, steps=len(plan.steps), blockers=len(plan.blockers))
        self._changed(operation.id)

    # --- before the first write -------------------------------------------------------------------------------------

    async def confirm(self, operation: str, attempt: int) -> JsonObject:
        """Whether the world still is what was approved; the steps to run, or none."""
        queued = await self._get(operation)
        if queued.state == "running" and queued.attempt == attempt:
            return {"steps": self._to_do(queued)}
        # Only a run that an older version has queued comes here before it holds its locks.
        while queued.state == "queued" and not await self._store.locks.hold(operation):
            await asyncio.sleep(self._pace)
            queued = await self._get(operation)
        if queued.state != "queued" or queued.attempt != attempt or queued.plan is None:
            return {"steps": []}
        if not await self._is_fresh(queued, queued.plan) and not await self._is_unchanged(queued, queued.plan):
            return {"steps": []}
        if not await self._store.operations.move(operation, ["queued"], "running", started_at=self._clock.now()):
            await self._store.leases.release(operation)  # somebody has cancelled it meanwhile
            return {"steps": []}
        self._changed(operation)
        return {"steps": self._to_do(await self._get(operation))}

    def _to_do(self, operation: Operation) -> list[int]:
        """Indices of the steps that this run plays: those with work that is not complete, or that must be repeated."""
        return [
            index
            for index, planned in enumerate(operation.planned)
            if planned.runs
            and (
                operation.steps[index].state != "complete"
                or self._procedures.step(operation, index).repeats(operation, index)
            )
        ]

    async def _is_fresh(self, operation: Operation, plan: Plan) -> bool:
        """Whether a plan that nobody had to approve was made just now, and no other operation ran there since."""
        is_old = self._clock.now() - plan.made >= FRESH
        if operation.approval_request is not None or operation.attempt > 1 or is_old:
            return False
        return not await self._store.operations.ran_since(operation.locks, plan.made, but=operation.id)

    async def _is_unchanged(self, operation: Operation, approved: Plan) -> bool:
        """Plan again and compare: a different plan is shown, and needs an approval of its own."""
        procedure = self._procedures.of(operation)
        try:
            now = await self._planner.plan(operation, approved=approved)
        except Exception as error:  # noqa: BLE001 - `_cause` sorts them
            await self._fail(operation, "queued", _cause(error, operation.id))
            return False
        blockers = [blocker for blocker in now.blockers if not procedure.is_own_doing(operation, blocker)]
        # A retry plays the remaining steps of the approved plan, in a world that the failed run has changed.
        is_retry, is_same = operation.attempt > 1, now.digest == approved.digest
        if is_retry and (self._is_undone(operation, now) or await self._is_taken_back(operation)):
            if is_same and not blockers:  # the world is as before the first run: every step of it is played again
                return await self._store.operations.plan(operation.id, now, ["queued"], "queued")
        elif not blockers and (is_same or (is_retry and covers(procedure.step, approved.steps, now.steps))):
            return True
        log.info("world_changed", operation=operation.id, before=approved.digest, now=now.digest)
        goes_on = await self._replan(operation, approved, now, blocked=bool(blockers))
        self._changed(operation.id)
        return goes_on

    def _is_undone(self, operation: Operation, now: Plan) -> bool:
        """Whether something that the operation has created is to be created again: somebody has taken it away since.

        Then the steps that are left are not enough.
        """
        site = self._planner.site(operation)

        def creates(planned: PlannedStep) -> str:
            step = self._procedures.of(operation).step[planned.kind]
            return step.writes(site, planned).lower() if planned.effect == "create" else ""

        complete = (operation.planned[run.index] for run in operation.steps if run.state == "complete")
        return bool({arm_id for arm_id in map(creates, complete) if arm_id} & set(map(creates, now.steps)))

    async def _is_taken_back(self, operation: Operation) -> bool:
        """Whether a rollback of it has begun since it stopped.

        Not everything that it takes back shows in a plan: a new password and its Secret don't.
        """
        stopped = max((run.finished for run in operation.steps if run.finished), default=operation.created)
        others = await self._store.operations.find(sites=[operation.site], target=operation.target)
        return any(
            self._procedures.of(other).takes_back(other.options) == operation.id
            for other in others
            if other.kind in self._procedures.kinds and other.started_at and other.started_at >= stopped
        )

    async def _replan(self, operation: Operation, approved: Plan, now: Plan, *, blocked: bool) -> bool:
        """Store the new plan in place of the approved one; whether it may run at once, without an approval."""
        request = await self._planner.approval_request(operation, now)
        to: State
        changes: dict[str, Any]
        if blocked:
            to, changes = "blocked", {"ended_at": self._clock.now(), "approved": approved, "event": "ended"}
        elif not any(step.runs for step in now.steps):
            to, changes = "succeeded", {"ended_at": self._clock.now(), "event": "ended"}
        elif request is None:
            to, changes = "queued", {}
        else:
            to, changes = "waiting", {"approved": approved, "round": operation.round + 1, **requested(request)}
        moved = await self._store.operations.plan(operation.id, now, ["queued"], to, **changes)
        if not moved or to in ENDED:
            await self._store.leases.release(operation.id)
        return moved and to == "queued"

    # --- steps ------------------------------------------------------------------------------------------------------

    async def begin(self, operation: str, index: int) -> JsonObject:
        """Begin a step, asking again for a while when the outside can't be reached."""
        running = await self._get(operation)
        if running.cancelling:
            return CANCELLED
        self._recall_writes(running, "complete")
        earlier = running.steps[index].state
        scene = self._scene(running, index)
        scene = replace(scene, repeated=running.attempt > 1 or earlier != "pending", failed_before=earlier == "error")
        await self._store.operations.begin_step(operation, index)
        self._progressed(operation)
        step = self._procedures.step(running, index)
        if freed := step.frees(scene.site):
            await self._store.locks.free(operation, freed)
        try:
            progress = await self._persist(
                running, lambda again: step.begin(replace(scene, repeated=scene.repeated or again)), index
            )
        except Exception as error:  # noqa: BLE001 - `_cause` sorts them
            return await self._stopped(running, index, _cause(error, operation, step.kind))
        if isinstance(progress, _Cancelled):
            return CANCELLED
        await self._record(running, index, progress.correlation_id, outcome="done")
        answer = await self._advance(running, index, progress)
        return {**answer, "freed": list(freed)} if freed else answer

    async def wait(self, operation: str, index: int, token: JsonObject) -> JsonObject:
        """Follow what `begin` began until it is done, fails, takes too long or is to be cancelled."""
        running = await self._get(operation)
        step = self._procedures.step(running, index)
        followed, correlation = decode(token["token"]), str(token["correlation_id"])
        began = running.steps[index].started or self._clock.now()
        self._recall_writes(running, "complete", "running")
        since = max((self._clock.now() - began).total_seconds(), 0)  # the clock may have been set back
        await asyncio.sleep(step.first * self._pace - since)
        while not running.cancelling:
            if running.children:
                self._progressed(operation)  # what its parts do is on its card
            waited = self._clock.now() - began
            try:
                progress = await self._look(running, index, step, followed, waited)
            except Exception as error:  # noqa: BLE001 - `_cause` sorts them
                return await self._stopped(running, index, _cause(error, operation, step.kind), correlation)
            if isinstance(progress, Done):
                return await self._advance(running, index, Done(progress.output, correlation))
            followed = progress.token
            requested = max(progress.not_before, float(getattr(progress.token, "retry_after", 0) or 0))
            grown = max(FIRST_PAUSE, min(step.interval, waited.total_seconds() / GROWTH))
            await self._note(running, index, progress.note or _pause(progress.paused))
            await self._cancelled_within(running, max(requested, grown * self._pace))
            running = await self._get(operation)
        return CANCELLED

    def _recall_writes(self, operation: Operation, *states: StepState) -> None:
        """Remember what steps in these states wrote, perhaps in a process that is gone: a 404 for it is asked again."""
        now, site = self._clock.now(), self._planner.site(operation)
        for run in operation.steps:
            moment = run.finished or run.started
            if run.state not in states or moment is None or now - moment >= RECENT:
                continue
            arm_id = self._procedures.step(operation, run.index).writes(site, operation.planned[run.index])
            if arm_id:
                self._azure.operations.note_written(arm_id)

    async def _look(self, operation: Operation, index: int, step: Step, token: Any, waited: timedelta) -> Progress:
        if step.wait is None:
            return Done()
        scene = replace(self._scene(operation, index), waited=waited, last=waited > step.within, repeated=True)
        try:
            progress = await step.wait(scene, token)
        except (Unreachable, Throttled) as error:
            pause = getattr(error, "retry_after", 0)
            if waited + timedelta(seconds=pause) > step.within:
                raise
            return Going(token, not_before=pause, paused=error if isinstance(error, Throttled) else None)
        if isinstance(progress, Going) and waited > step.within:
            if step.patient:
                return Done(StillUnderWay())
            raise Failure(EngineCause.STEP_TIMED_OUT, {"minutes": int(waited.total_seconds() // 60)})
        return progress if isinstance(progress, Done) else Going(progress.token or token, note=progress.note)

    async def _persist(
        self,
        operation: Operation,
        ask: Callable[[bool], Awaitable[T]],
        index: int | None = None,
        *,
        cancellable: bool = True,
    ) -> T | _Cancelled:
        """Ask again for a while. `ask` takes whether it was called before: the earlier call may have had its effect.

        `index` is that of the step whose line shows until when the other system wants a pause.
        """
        until = asyncio.get_running_loop().time() + PATIENCE.total_seconds() * self._patience
        pause, again = 1.0, False
        while True:
            try:
                return await ask(again)
            except (Unreachable, Throttled, Busy) as error:
                requested = getattr(error, "retry_after", 0)
                if asyncio.get_running_loop().time() + max(pause, requested) > until:
                    raise
                seconds = max(pause * self._pace, requested)  # Azure's own pauses are not scaled by the pace
                log.info("asking_again", operation=operation.id, error=str(error), seconds=seconds)
                if index is not None:
                    await self._note(await self._get(operation.id), index, _pause(error))
            if cancellable and await self._cancelled_within(operation, seconds):
                return _Cancelled()
            if not cancellable:
                await asyncio.sleep(seconds)
            pause, again = min(pause * 2, 30), True

    async def _note(self, operation: Operation, index: int, note: Note | None) -> None:
        """Show on the card what a step waits for; nothing once it goes on. `operation` is what is stored now."""
        noted = operation.steps[index].output
        if note == noted or not isinstance(noted, Note | None):
            return
        await self._store.operations.note_step(operation.id, index, note)
        self._progressed(operation.id)

    async def _cancelled_within(self, operation: Operation, seconds: float) -> bool:
        """Wait so long; return early, with True, when somebody cancels the operation meanwhile."""
        end = asyncio.get_running_loop().time() + seconds
        while (remaining := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(remaining, LONGEST_PAUSE))
            if await self._store.operations.is_cancelling(operation.id):
                return True
        return False

    async def _advance(self, operation: Operation, index: int, progress: Progress) -> JsonObject:
        if isinstance(progress, Going):
            return {"state": "going", "token": encode(progress.token), "correlation_id": progress.correlation_id}
        took = await self._store.operations.end_step(
            operation.id,
            index,
            ok=True,
            output=progress.output,
            correlation_id=progress.correlation_id,
        )
        self.steps.note(operation.planned[index].kind, "complete", seconds=took.total_seconds())
        log.info("step_done", operation=operation.id, step=operation.planned[index].kind, site=operation.site)
        self._progressed(operation.id)
        return {"state": "done"}

    async def _stopped(self, operation: Operation, index: int, error: DomainError, correlation: str = "") -> JsonObject:
        failure = self._procedures.of(operation).diagnose(error)
        correlation = getattr(error, "correlation_id", "") or correlation
        took = await self._store.operations.end_step(operation.id, index, ok=False, correlation_id=correlation)
        self.steps.note(operation.planned[index].kind, "error", seconds=took.total_seconds())
        await self._record(operation, index, correlation, outcome="failed")
        log.warning("step_failed", operation=operation.id, step=operation.planned[index].kind, error=str(error))
        self._progressed(operation.id)
        return {"state": "stopped", "why": "failed", "error": encode(failure), "step": index}

    async def _record(self, operation: Operation, index: int, correlation: str, *, outcome: str) -> None:
        planned = operation.planned[index]
        if planned.effect == "verify":
            return
        # A process may die before the engine knows that the step has begun. Then it is begun once more.
        if operation.steps[index].state != "pending" and await self._is_recorded(operation, planned, outcome):
            return
        facts = {
            "kind": operation.kind,
            "target": operation.target,
            "step": planned.kind,
            "effect": planned.effect,
            "params": planned.params,
            "digest": operation.plan.digest if operation.plan else "",
            "approved_by": [{"person": each.person, "name": each.name} for each in operation.approvals],
            "correlation_id": correlation,
        }
        await self._store.audit.record(
            AuditRow(
                "write",
                operation.requester,
                outcome,
                f"{operation.kind} {operation.target} {operation.site}: {planned.kind}",
                name=operation.requester_name,
                site=operation.site,
                operation=operation.id,
                facts=facts,
                at=self._clock.now(),
            )
        )

    async def _is_recorded(self, operation: Operation, planned: PlannedStep, outcome: str) -> bool:
        """Whether the audit has this from the same run."""
        selection = AuditSelection(since=operation.started_at, operation=operation.id)
        rows = [entry.row for entry in await self._store.audit.newest(selection)]
        return any(
            (row.kind, row.outcome, row.facts.get("step"), row.facts.get("params"))
            == ("write", outcome, planned.kind, planned.params)
            for row in rows
        )

    # --- the end ----------------------------------------------------------------------------------------------------

    async def end(self, operation: str, outcome: JsonObject) -> None:
        """Undo what must not outlive the run, release its addresses, and store how it ended."""
        running = await self._get(operation)
        if running.state != "running":
            return
        if await self._undo_steps(running):
            await self._store.leases.release(operation)
        now = self._clock.now()
        error = decode(outcome["error"]) if outcome.get("why") == "failed" else None
        if outcome["state"] == "done":
            await self._store.operations.move(operation, ["running"], "succeeded", event="ended", ended_at=now)
        else:
            left = Outcome(remains=await self._remains(running, error), password=await self._password_left(running))
            if outcome["why"] == "cancelled":
                cancelled = replace(left, by=running.cancelling)
                await self._store.operations.move(
                    operation, ["running"], "cancelled", event="ended", outcome=cancelled, ended_at=now
                )
            elif error is not None:
                await self._fail(running, "running", error, replace(left, step=outcome["step"]))
        log.info("ended", operation=operation, outcome=outcome["state"], why=outcome.get("why", ""))
        self._changed(operation)
        if running.parent:
            self._changed(running.parent)

    async def _remains(self, operation: Operation, error: DomainError | None) -> bool | None:
        """Whether the step that did not come to its end has created what it was to create; None: nobody knows."""
        if isinstance(error, Failure) and error.facts.get("error") == NameTaken.__name__:
            return False  # what bears the name is somebody else's
        for run in operation.steps:
            if run.state not in {"running", "error"} or operation.planned[run.index].effect != "create":
                continue
            try:
                async with asyncio.timeout(LONGEST_LOOK):
                    return await self._procedures.step(operation, run.index).exists(self._scene(operation, run.index))
            except (DomainError, TimeoutError):
                return None
        return None

    async def _password_left(self, operation: Operation) -> PasswordLeft | None:
        """What the step that did not come to its end has left in a token."""
        for run in operation.steps:
            if run.state in {"running", "error"}:
                return await self._procedures.step(operation, run.index).leaves(self._scene(operation, run.index))
        return None

    async def tidy(self) -> None:
        """Undo what could not be undone when its operation ended, since the cluster was out of reach.

        Such an operation is recognised by its leases.
        """
        for operation in await self._store.operations.ended_with_leases():
            if await self._undo_steps(operation):
                await self._store.leases.release(operation.id)

    async def _undo_steps(self, operation: Operation) -> bool:
        """Undo its steps. False when the cluster is out of reach: then the address stays leased."""
        for index, planned in enumerate(operation.planned):
            undo = self._procedures.step(operation, index).undo
            if undo is None or operation.steps[index].state == "pending":
                continue
            try:
                scene = self._scene(operation, index)
                await self._persist(operation, lambda _: undo(scene), cancellable=False)  # noqa: B023 - awaited at once
            except DatabaseAway:
                raise
            except DomainError as error:
                log.warning("undo_failed", operation=operation.id, step=planned.kind, error=str(error))
                return False
        return True

    async def _fail(
        self,
        operation: Operation,
        came_from: State,
        error: DomainError,
        outcome: Outcome | None = None,
    ) -> None:
        if isinstance(error, Foreign):  # an error of our own rules has words of its own
            error = self._procedures.of(operation).diagnose(error)
        if came_from != "running":  # then no placeholder holds an address yet
            await self._store.leases.release(operation.id)
        await self._store.operations.move(
            operation.id,
            [came_from],
            "failed",
            event="failed",
            outcome=replace(outcome or Outcome(), error=error),
            ended_at=self._clock.now(),
        )
        self._changed(operation.id)

    def _scene(self, operation: Operation, index: int) -> Scene:
        site = self._planner.site(operation)
        return Scene(
            operation=operation,
            site=site,
            planned=operation.planned[index],
            azure=self._azure,
            cluster=lambda: cluster_of(self._azure, self._kubernetes, site),
            leases=self._store.leases,
            children=self._children,
            environment=self._environment,
            index=index,
            patience=self._patience,
        )

    async def _get(self, operation: str) -> Operation:
        stored = await self._store.operations.get(operation)
        if stored is None:
            raise LookupError(operation)
        return stored


def _pause(error: DomainError | None) -> Paused | None:
    """Until when a step waits since another system has asked for a pause; None where none has."""
    return Paused(error.service, error.until) if isinstance(error, Throttled) and error.until else None


def _cause(error: Exception, operation: str, step: str = "planning") -> DomainError:
    """Why a part of the work failed; what is none of the errors that we know is a defect of ours.

    A database that is away is no reason to fail: it is raised again, and the part is repeated when it is back.
    """
    match error:
        case DatabaseAway():
            raise error
        case DomainError():
            return error
    log.error("step_broke", operation=operation, step=step, exc_info=error)
    return defect(error)
