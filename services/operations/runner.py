"""What the durable workflows call: plan, confirm, play the steps, tidy up.

Every function may be called again after a crash and then finds what it did before. Domain errors become answers here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog

from services.model.audit import AuditRow
from services.model.codec import decode, encode
from services.model.errors import Busy, DomainError, Failure, Foreign, Throttled, Unreachable
from services.model.operation import Asked, Ended, Operation, State
from services.model.plan import Finding, Plan
from services.operations.deploy.checks import Code
from services.operations.deploy.diagnosis import Cause, diagnose
from services.operations.deploy.steps import STEPS, title
from services.operations.deploy.steps.verdict import GRACE, RECOVERY
from services.operations.digest import covers
from services.operations.planner import FRESH, Planning, known_providers
from services.operations.step import Done, Going, Progress, Scene, Step
from services.ports import Answer, Azure, Cluster, Kubernetes
from services.store import Store

T = TypeVar("T")


class _CancelledError(DomainError):
    """Somebody wants the operation stopped while a step asks again and again."""


log = structlog.get_logger("operations")

FIRST_PAUSE = 0.2
"""Seconds before the second question; the pause grows with the time waited, up to the step's own interval."""
GROWTH = 15
"""A pause is this part of the time waited: what was done meanwhile is noticed so much late at most."""
LONGEST_REST = 2.0
"""Seconds between two looks whether somebody wants the operation stopped, while a longer pause lasts."""
PATIENCE = timedelta(minutes=5)
"""For how long a step goes on asking a system that can't be reached."""


class Running:
    """Plays operations. `changed` is called with an operation's id whenever people should see something new.

    `pace` scales the pauses between questions, `patience` how long is waited for what may pass by itself.
    """

    def __init__(
        self,
        store: Store,
        planning: Planning,
        azure: Azure,
        kubernetes: Kubernetes,
        changed: Callable[[str], None],
        *,
        pace: float = 1,
        patience: float = 1,
    ) -> None:
        self._store = store
        self._planning = planning
        self._azure = azure
        self._kubernetes = kubernetes
        self._changed = changed
        self._pace = pace
        self._patience = patience

    # --- planning ---------------------------------------------------------------------------------------------------

    async def prepare(self, operation: str) -> Answer:
        """Make the plan and move on: blocked, shown, waiting for approval, or to be run at once."""
        asked = await self._get(operation)
        if asked.state != "planning":
            return await self._to_run(asked)
        try:
            plan = await self._planning.plan(asked)
            approval = self._planning.asked(asked, datetime.now(UTC))
        except DomainError as error:
            await self._fail(asked, "planning", error)
            return {}
        except Exception as error:
            log.exception("planning_broke", operation=operation)
            await self._fail(asked, "planning", _broken(error))
            return {}
        await self._planned(asked, plan, approval)
        return await self._to_run(await self._get(operation))

    async def _to_run(self, operation: Operation) -> Answer:
        if operation.state != "queued":
            return {}
        turn = await self._store.operations.runs(operation.cluster)
        return {"run": operation.attempt, "cluster": operation.cluster, "turn": turn}

    async def _planned(self, operation: Operation, plan: Plan, approval: Asked | None) -> None:
        now = datetime.now(UTC)
        to: State
        changes: dict[str, Any] = {}
        if plan.blockers:
            to, changes = "blocked", {"ended_at": now}
        elif operation.dry_run:
            to, changes = "previewed", {"ended_at": now}
        elif approval:
            to = "waiting"
            changes = {
                "asked": approval,
                "expires": approval.expires,
                "remind": approval.remind,
                "event": "asked",
            }
        else:
            to, changes = "queued", {"attempt": 1}
        moved = await self._store.operations.plan(operation.id, plan, ["planning"], to, **changes)
        if not moved or to in {"blocked", "previewed"}:  # not moved: somebody cancelled it while it was thought out
            await self._store.leases.release(operation.id)
        log.info("planned", operation=operation.id, state=to, steps=len(plan.steps), blockers=len(plan.blockers))
        self._changed(operation.id)

    # --- before the first write -------------------------------------------------------------------------------------

    async def confirm(self, operation: str, attempt: int) -> Answer:
        """Whether the world still is what was approved; the steps to run, or none."""
        found = await self._get(operation)
        if found.state == "running" and found.attempt == attempt:
            return {"steps": _to_do(found)}
        if found.state != "queued" or found.attempt != attempt or found.plan is None:
            return {"steps": []}
        if not await self._is_fresh(found, found.plan) and not await self._still(found, found.plan):
            return {"steps": []}
        if not await self._store.operations.move(operation, ["queued"], "running", started_at=datetime.now(UTC)):
            await self._store.leases.release(operation)  # cancelled while the world was looked at
            return {"steps": []}
        self._changed(operation)
        return {"steps": _to_do(await self._get(operation))}

    async def _is_fresh(self, operation: Operation, plan: Plan) -> bool:
        """Whether a plan that nobody had to approve was made just now, and nothing of ours ran there since."""
        if operation.asked is not None or operation.attempt > 1 or datetime.now(UTC) - plan.made >= FRESH:
            return False
        return not await self._store.operations.ran_since(operation.cluster, plan.made, but=operation.id)

    async def _still(self, operation: Operation, approved: Plan) -> bool:
        """Plan again and compare; what is different is shown and asked for again."""
        try:
            now = await self._planning.plan(operation, providers=known_providers(approved))
        except DomainError as error:
            await self._fail(operation, "queued", error)
            return False
        except Exception as error:
            log.exception("planning_broke", operation=operation.id)
            await self._fail(operation, "queued", _broken(error))
            return False
        blockers = [one for one in now.blockers if not _is_own_doing(operation, one)]
        if not blockers and (now.digest == approved.digest or _resumes(operation, approved, now)):
            return True
        log.info("world_changed", operation=operation.id, before=approved.digest, now=now.digest)
        goes_on = await self._replan(operation, approved, now, blocked=bool(blockers))
        self._changed(operation.id)
        return goes_on

    async def _replan(self, operation: Operation, approved: Plan, now: Plan, *, blocked: bool) -> bool:
        """Put the new plan in the old one's place; whether it may run at once, since nobody has to approve it."""
        approval = self._planning.asked(operation, datetime.now(UTC))
        to: State
        changes: dict[str, Any]
        if blocked:
            to, changes = "blocked", {"ended_at": datetime.now(UTC), "approved": approved, "event": "ended"}
        elif approval is None:
            to, changes = "queued", {}
        else:
            to = "waiting"
            changes = {
                "approved": approved,
                "round": operation.round + 1,
                "asked": approval,
                "expires": approval.expires,
                "remind": approval.remind,
                "event": "asked",
            }
        moved = await self._store.operations.plan(operation.id, now, ["queued"], to, **changes)
        if blocked or not moved:
            await self._store.leases.release(operation.id)
        return moved and to == "queued"

    # --- steps ------------------------------------------------------------------------------------------------------

    async def begin(self, operation: str, index: int) -> Answer:
        """Begin a step, asking again for a while when the outside can't be reached."""
        found = await self._get(operation)
        if found.cancelling:
            return {"state": "stopped", "why": "cancelled"}
        before = found.steps[index].state
        scene = self._scene(found, index, second=found.attempt > 1 or before != "pending", failed=before == "error")
        await self._store.operations.begin_step(operation, index)
        self._changed(operation)
        step = STEPS[scene.planned.kind]
        try:
            progress = await self._insist(found, lambda again: step.begin(replace(scene, second=scene.second or again)))
        except DomainError as error:
            return await self._stopped(found, index, error)
        except Exception as error:
            log.exception("step_broke", operation=operation, step=step.kind)
            return await self._stopped(found, index, _broken(error))
        await self._record(found, index, progress.correlation_id, outcome="done")
        return await self._progressed(found, index, progress)

    async def wait(self, operation: str, index: int, token: Answer) -> Answer:
        """Follow what `begin` began until it is done, fails, takes too long or is to be cancelled."""
        found = await self._get(operation)
        step = STEPS[found.planned[index].kind]
        followed, correlation = decode(token["token"]), str(token["correlation_id"])
        began = found.steps[index].started or datetime.now(UTC)
        await asyncio.sleep(step.first * self._pace)
        while True:
            found = await self._get(operation)
            if found.cancelling:
                return {"state": "stopped", "why": "cancelled"}
            waited = datetime.now(UTC) - began
            try:
                progress = await self._look(found, index, step, followed, waited)
            except DomainError as error:
                return await self._stopped(found, index, error, correlation)
            except Exception as error:
                log.exception("step_broke", operation=operation, step=step.kind)
                return await self._stopped(found, index, _broken(error), correlation)
            if isinstance(progress, Done):
                return await self._progressed(found, index, Done(progress.output, correlation))
            followed = progress.token
            # The loop looks for a wish to stop itself.
            await self._rested(found, self._pause(step, progress, waited))

    async def _look(self, operation: Operation, index: int, step: Step, token: Any, waited: timedelta) -> Progress:
        if step.wait is None:
            return Done()
        scene = self._scene(operation, index, waited=waited, second=True)
        try:
            progress = await step.wait(scene, token)
        except (Unreachable, Throttled) as error:
            rest = getattr(error, "retry_after", 0)
            if waited + timedelta(seconds=rest) > step.within:
                raise
            return Going(token, not_before=rest)
        if isinstance(progress, Going) and waited > step.within:
            if step.patient:
                return Done({f"{step.kind}.late": True})
            raise Failure(
                Cause.STEP_TIMED_OUT,
                {"step": title(operation.planned[index]), "minutes": int(waited.total_seconds() // 60)},
            )
        return progress if isinstance(progress, Done) else Going(progress.token or token)

    def _pause(self, step: Step, going: Going, waited: timedelta) -> float:
        wished = max(going.not_before, float(getattr(going.token, "retry_after", 0) or 0))
        grown = max(FIRST_PAUSE, min(step.interval, waited.total_seconds() / GROWTH))
        return max(wished, grown * self._pace)

    async def _insist(self, operation: Operation, ask: Callable[[bool], Awaitable[T]], *, stoppable: bool = True) -> T:
        """Ask again for a while. `ask` is told whether it was called before: what it asked for may have been done."""
        until = asyncio.get_running_loop().time() + PATIENCE.total_seconds() * self._patience
        pause, again = 1.0, False
        while True:
            try:
                return await ask(again)
            except (Unreachable, Throttled, Busy) as error:
                # What Azure asks for is not scaled by the pace.
                rest = max(pause * self._pace, getattr(error, "retry_after", 0))
                if asyncio.get_running_loop().time() + rest > until:
                    raise
                log.info("asking_again", operation=operation.id, error=str(error), seconds=rest)
            if await self._rested(operation, rest, stoppable=stoppable):
                raise _CancelledError
            pause, again = min(pause * 2, 30), True

    async def _rested(self, operation: Operation, seconds: float, *, stoppable: bool = True) -> bool:
        """Wait; early and True when somebody wants the operation stopped meanwhile."""
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, LONGEST_REST))
            if stoppable and (await self._get(operation.id)).cancelling:
                return True
        return False

    async def _progressed(self, operation: Operation, index: int, progress: Progress) -> Answer:
        if isinstance(progress, Going):
            return {"state": "going", "token": encode(progress.token), "correlation_id": progress.correlation_id}
        output = dict(progress.output)
        await self._store.operations.end_step(
            operation.id, index, ok=True, output=output, correlation_id=progress.correlation_id
        )
        log.info("step_done", operation=operation.id, step=operation.planned[index].kind, site=operation.site)
        self._changed(operation.id)
        return {"state": "done"}

    async def _stopped(self, operation: Operation, index: int, error: DomainError, correlation: str = "") -> Answer:
        if isinstance(error, _CancelledError):
            return {"state": "stopped", "why": "cancelled"}
        failure = diagnose(error=error)
        correlation = getattr(error, "correlation_id", "") or correlation
        await self._store.operations.end_step(operation.id, index, ok=False, output={}, correlation_id=correlation)
        await self._record(operation, index, correlation, outcome="failed")
        log.warning("step_failed", operation=operation.id, step=operation.planned[index].kind, error=str(error))
        self._changed(operation.id)
        return {"state": "stopped", "why": "failed", "error": encode(failure), "step": index}

    async def _record(self, operation: Operation, index: int, correlation: str, *, outcome: str) -> None:
        planned = operation.planned[index]
        if planned.effect == "verify":
            return
        facts = {"step": planned.kind, "effect": planned.effect, "correlation_id": correlation}
        await self._store.audit.record(
            AuditRow("write", operation.requester, outcome, title(planned), operation=operation.id, facts=facts)
        )

    # --- the end ----------------------------------------------------------------------------------------------------

    async def end(self, operation: str, outcome: Answer) -> None:
        """Take back what must not stay, give the addresses back, and say how it ended."""
        found = await self._get(operation)
        if found.state != "running":
            return
        if await self._take_back(found):
            await self._store.leases.release(operation)
        now = datetime.now(UTC)
        if outcome["state"] == "done":
            await self._store.operations.move(operation, ["running"], "succeeded", event="ended", ended_at=now)
        elif outcome["why"] == "cancelled":
            ended = Ended(by=found.cancelling)
            await self._store.operations.move(
                operation, ["running"], "cancelled", event="ended", ended=ended, ended_at=now
            )
        else:
            await self._fail(found, "running", decode(outcome["error"]), outcome["step"])
        log.info("ended", operation=operation, outcome=outcome["state"], why=outcome.get("why", ""))
        self._changed(operation)

    async def tidy(self) -> None:
        """Take back what a cluster out of reach kept when its operation ended; the lease remembers it."""
        for operation in await self._store.operations.ended_with_leases():
            if await self._take_back(operation):
                await self._store.leases.release(operation.id)

    async def _take_back(self, operation: Operation) -> bool:
        """Undo placeholders. False when a cluster out of reach keeps one: then its address stays leased."""
        for index, planned in enumerate(operation.planned):
            undo = STEPS[planned.kind].undo
            if undo is None or operation.steps[index].state == "pending":
                continue
            try:
                scene = self._scene(operation, index)
                await self._insist(operation, lambda _: undo(scene), stoppable=False)  # noqa: B023 - awaited at once
            except DomainError as error:
                log.warning("not_taken_back", operation=operation.id, step=planned.kind, error=str(error))
                return False
        return True

    async def _fail(self, operation: Operation, came_from: State, error: DomainError, step: int | None = None) -> None:
        if came_from != "running":  # then nothing is held yet
            await self._store.leases.release(operation.id)
        await self._store.operations.move(
            operation.id,
            [came_from],
            "failed",
            event="failed",
            ended=Ended(diagnose(error=error) if isinstance(error, Foreign) else error, step),
            ended_at=datetime.now(UTC),
        )
        self._changed(operation.id)

    # --- the scene of a step ----------------------------------------------------------------------------------------

    def _scene(
        self,
        operation: Operation,
        index: int,
        *,
        waited: timedelta = timedelta(),
        second: bool = False,
        failed: bool = False,
    ) -> Scene:
        site = self._planning.site(operation)
        access = site.cluster.kubernetes

        async def cluster() -> Cluster:
            return await self._kubernetes.cluster(access.kubeconfig, access.context)

        return Scene(
            operation=operation,
            site=site,
            planned=operation.planned[index],
            results={**_address_kept(operation), **operation.results},
            azure=self._azure,
            cluster=cluster,
            leases=self._store.leases,
            waited=waited,
            grace=(GRACE if operation.attempt <= 1 else RECOVERY) * self._patience,
            second=second,
            failed=failed,
        )

    async def _get(self, operation: str) -> Operation:
        found = await self._store.operations.get(operation)
        if found is None:
            raise LookupError(operation)
        return found


def _to_do(operation: Operation) -> list[int]:
    """Indices of the steps that this run plays: those with something to do that are not complete.

    A placeholder that was taken back at the end of a failed run is held again, unless the extension has the address.
    """
    done = {operation.planned[run.index].kind for run in operation.steps if run.state == "complete"}
    again = {"service_ip.hold"} if "extension.install" not in done else set()
    return [
        index
        for index, planned in enumerate(operation.planned)
        if planned.runs and (operation.steps[index].state != "complete" or planned.kind in again)
    ]


def _resumes(operation: Operation, approved: Plan, now: Plan) -> bool:
    """Whether a retry does nothing but what is left of the approved plan."""
    return operation.attempt > 1 and covers(approved.steps, now.steps)


def _is_own_doing(operation: Operation, blocker: Finding) -> bool:
    """Whether what stands in the way is the extension that this operation's last attempt began and gave up."""
    tried = {operation.planned[run.index].kind for run in operation.steps if run.state == "error"}
    return blocker.code == Code.EXTENSION_BUSY and "extension.install" in tried


def _address_kept(operation: Operation) -> dict[str, object]:
    """The address of an extension that stays as it is: its plan holds none."""
    kept = operation.plan.observed.get("extension.address") if operation.plan else None
    return {"service_ip": kept} if kept else {}


def _broken(error: Exception) -> Failure:
    """A defect of ours, as a failure: the log has the trace, people get the error's kind."""
    return Failure(Cause.DEFECT, {"error": type(error).__name__})
