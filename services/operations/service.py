"""Start, approve, reject, cancel and retry operations: the same for commands, buttons and the clock."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import structlog

from services.model.audit import AuditRow
from services.model.clock import Clock
from services.model.errors import DomainError, Failure, NotFound, Stale
from services.model.ids import new_id
from services.model.operation import ApprovalRequest, Decision, Operation, Outcome, State
from services.model.people import Person, Place
from services.model.redaction import scrub
from services.operations.causes import EngineCause
from services.operations.planner import Planner, requested
from services.operations.procedure import Procedures
from services.operations.reach import require_access
from services.policy.access import ApprovalRule
from services.policy.approvals import APPROVE, Assessment, able, assess_approver, check_possible, groups
from services.policy.sites import Site
from services.ports import Configuration, Slack, Starter
from services.store import Store

BOT = Person("bot", "bot", "")
"""Who ends a request about which nobody decided."""
LOST_RUNS = 3
"""How often a run that the engine has lost is taken up again: what breaks it may break it each time."""
_WAITING: tuple[State, ...] = ("waiting",)
_AWAITING = 200
"""Waiting operations that are looked through for those that a person may decide about."""
log = structlog.get_logger("operations")


@dataclass(frozen=True)
class Order:
    """What somebody asks for. `options` is a value of the kind's own class, without secrets."""

    kind: str
    target: str
    site: Site
    options: object
    by: Person
    place: Place
    key: str


class Operations:
    """The life of operations. `changed` is called whenever people should see something new."""

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        procedures: Procedures,
        planner: Planner,
        engine: Starter,
        *,
        slack: Slack,
        changed: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._procedures = procedures
        self._planner = planner
        self._slack = slack
        self._engine = engine
        self._changed = changed
        self._clock = clock
        self._lost: Counter[str] = Counter()
        """How often the engine has lost an operation's run since this process began."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The words of all kinds of operation, which approval rules name."""
        return self._procedures.kinds

    async def start(self, order: Order) -> Operation:
        """Record the request and begin to plan. The same `key` gives the same operation, however often it comes.

        Raises `Invalid` for what can't be asked for, `NoAccess` for a kind that needs the cluster at a site without
        access to it, and `Denied` when the policy wants approvals that nobody could give, or nobody would see the
        request for.
        """
        self._check(order)
        rule = self._configuration.policy.approval(order.kind, order.site)
        if rule:
            policy, by, place = self._configuration.policy, order.by.id, order.place
            members = {group: await self._slack.members(group) for group in groups(policy, rule)}
            readers = await self._slack.readers(place.channel, by)
            check_possible(policy, rule, requester=by, place=place, site=order.site, members=members, readers=readers)
        operation, fresh = await self._store.operations.create(self._new(order), order.key)
        await self._engine.prepare(operation.id)
        if fresh:
            log.info("asked", operation=operation.id, kind=order.kind, target=order.target, site=order.site.name)
            await self._audit("start", operation, order.by, order.place)
            self._changed(operation.id)
        return operation

    async def preview(self, order: Order) -> Operation:
        """What the operation would do, as it is planned now: blocked, or with its plan. It is kept, and never runs.

        Raises `Invalid` and `NoAccess` as `start` does, and what the look at the world meets. The same `key` gives the
        same operation.
        """
        self._check(order)
        operation = replace(self._new(order), dry_run=True)
        plan = await self._planner.plan(operation)
        state: State = "blocked" if plan.blockers else "previewed"
        planned = replace(operation, plan=plan, state=state, ended_at=self._clock.now())
        return (await self._store.operations.create(planned, order.key))[0]

    def _check(self, order: Order) -> None:
        """What can be refused without a look at the world, so that a slip is answered at once and privately."""
        procedure = self._procedures[order.kind]
        procedure.request(order.site, order.target, order.options)
        if procedure.needs_cluster:
            require_access(order.site)

    async def get(self, operation: str) -> Operation:
        """Raises `NotFound` with ids that look alike."""
        stored = await self._store.operations.get(operation)
        if stored is None:
            # Only what differs by a slip: the line that is offered to be copied may approve or cancel.
            recent = [candidate.id for candidate in await self._store.operations.find(limit=50)]
            raise NotFound("operation", operation, tuple(get_close_matches(operation, recent, cutoff=0.75)))
        return stored

    async def find(
        self,
        *,
        sites: Collection[str] | None = None,
        states: tuple[State, ...] | None = None,
        requester: str | None = None,
        skip: int = 0,
        limit: int = 20,
    ) -> tuple[Operation, ...]:
        """The newest ones except the first `skip`, newest first; at these sites alone, in these states alone."""
        return await self._store.operations.find(
            sites=sites, states=states, requester=requester, skip=skip, limit=limit
        )

    async def awaiting(self, person: Person, sites: Collection[str]) -> tuple[Operation, ...]:
        """Those at these sites that wait for a decision which this person may make, the newest first."""
        waiting = await self._store.operations.find(sites=sites, states=_WAITING, limit=_AWAITING)
        return tuple(
            operation
            for operation in waiting
            if operation.approval_request and not self._assess(operation, operation.approval_request, person).why_not
        )

    def script_lines(self, operation: Operation) -> tuple[str, ...] | None:
        """The lines of a shell that do what each step of the plan does, in the plan's order.

        They are empty for a step with nothing to do and for a part with a plan of its own. None where there is no whole
        plan, or the site is no longer configured.
        """
        site = self._configuration.sites.get(operation.site)
        if site is None or operation.plan is None or operation.plan.blockers:
            return None
        steps = self._procedures.of(operation).step
        return tuple(
            steps[planned.kind].line(site, operation, planned) if planned.runs else "" for planned in operation.planned
        )

    # --- decisions --------------------------------------------------------------------------------------------------

    async def approve(self, operation: str, by: Person, place: Place, digest: str = "") -> None:
        """Count `by`'s approval of the plan; the last one needed queues the run.

        `digest` is that of the plan on the button; raises `Stale` when the plan is another one by now, `Denied` when
        their approval does not count.
        """
        waiting = await self._deciding(operation, by)
        self._permit(waiting, by, place, APPROVE)
        if digest and waiting.plan and digest != waiting.plan.digest:
            raise Stale(operation, "changed", "waiting")
        now = self._clock.now()
        await self._store.operations.decide(operation, Decision(waiting.round, by.id, by.name, "approve", now))
        await self._audit("approve", waiting, by, place)
        latest = await self._without_void_approvals(await self.get(operation), by)
        request = latest.approval_request
        if latest.state == "waiting" and request and len(latest.approvals) < request.count:
            key = f"approved:{latest.round}:{by.id}"
            await self._store.operations.change(operation, event="approved", key=key)
        await self._queue_if_approved(latest)
        self._changed(operation)

    async def _without_void_approvals(self, operation: Operation, by: Person) -> Operation:
        """The operation without the approvals of people who may not decide about it any more.

        They may have left, or the policy or a group no longer names them. It is looked at when `by`, who may decide,
        gives the last approval that is needed: only then would the others count.
        """
        request = operation.approval_request
        if request is None or len(operation.approvals) < request.count:
            return operation
        others = [approval for approval in operation.approvals if approval.person != by.id]
        void = [approval for approval in others if not await self._may_still_decide(operation, request, approval)]
        for approval in void:
            if await self._store.operations.withdraw(operation.id, approval):
                await self._audit("withdraw", operation, BOT, operation.place, approval.name)
        return await self.get(operation.id) if void else operation

    async def _may_still_decide(self, operation: Operation, request: ApprovalRequest, approval: Decision) -> bool:
        """Whether somebody who has approved could do so now; what Slack does not answer is not held against them."""
        try:
            person = await self._slack.current(approval.person)
            if await self._slack.groups_problem():
                return True
        except DomainError:
            return True
        policy, site = self._configuration.policy, self._configuration.sites.get(operation.site)
        decision = policy.decide(person, operation.place, APPROVE, site)
        # In another channel they may have the right, and may have approved there, by the operation's id.
        has_right = decision.allowed or decision.rule == "channel"
        return has_right and policy.names(person, _rule(request).approvers) is not None

    async def reject(self, operation: str, by: Person, place: Place, reason: str) -> None:
        """End it without a run. Raises as `approve` does; a requester may always take their own request back."""
        waiting = await self.get(operation)
        if waiting.requester != by.id:
            waiting = await self._deciding(operation, by)
            self._permit(waiting, by, place, APPROVE)
        outcome, now = Outcome(by=by.name, reason=reason), self._clock.now()
        moved = await self._store.operations.move(
            operation, ["waiting"], "rejected", event="ended", outcome=outcome, ended_at=now
        )
        if not moved:
            raise Stale(operation, (await self.get(operation)).state, "waiting")
        await self._store.operations.decide(operation, Decision(waiting.round, by.id, by.name, "reject", now, reason))
        await self._store.leases.release(operation)
        await self._audit("reject", waiting, by, place, reason)
        self._changed(operation)
        await self._engine.grant()

    async def cancel(self, operation: str, by: Person, place: Place) -> None:
        """Stop it: at once where nothing runs, else after the step under way. Raises `Stale` when it has ended."""
        live = await self.get(operation)
        self._permit(live, by, place, "operation:cancel")
        if not await self._stop(live, by.name):
            raise Stale(operation, live.state, "live")
        await self._audit("cancel", live, by, place)
        await self._engine.grant()

    async def retry(self, operation: str, by: Person, place: Place) -> None:
        """Run it again from the step that failed, or ask for approval again where its approval no longer counts.

        Raises `Stale` unless it failed, and had a plan.
        """
        failed = await self.get(operation)
        self._permit(failed, by, place, "operation:retry")
        if failed.plan is None:
            raise Stale(operation, failed.state, "failed")
        request = await self._planner.approval_request(failed, failed.plan)
        if request is None or await self._is_approved(failed, request):
            moved = await self._queue_again(failed, by)
        else:
            again = requested(request) | {"outcome": None, "ended_at": None, "round": failed.round + 1}
            moved = await self._store.operations.move(operation, ["failed"], "waiting", **again)
            if moved:
                await self._note_retry(failed, by)
            self._changed(operation)
        if not moved:
            raise Stale(operation, failed.state, "failed")
        await self._audit("retry", failed, by, place)

    async def _note_retry(self, failed: Operation, by: Person) -> None:
        """Keep who asked for another run, and say it in the thread."""
        attempt = failed.attempt + 1
        decision = Decision(-attempt, by.id, by.name, "retry", self._clock.now())
        await self._store.operations.decide(failed.id, decision)
        await self._store.operations.change(failed.id, event="retried", key=f"retried:{attempt}")

    async def _is_approved(self, operation: Operation, request: ApprovalRequest) -> bool:
        """Whether its approvals count by the policy in force, and are no older than a request may grow."""
        policy, rule, now = self._configuration.policy, _rule(request), self._clock.now()
        members = {group: await self._slack.members(group) for group in groups(policy, rule)}
        site = self._configuration.sites.get(operation.site)
        people = able(policy, rule, requester=operation.requester, place=operation.place, site=site, members=members)
        if people is None:
            return False
        lasts = request.expires - now
        recent = [
            approval for approval in operation.approvals if approval.person in people and now - approval.at < lasts
        ]
        counting = [approval for approval in recent if await self._may_still_decide(operation, request, approval)]
        return len(counting) >= request.count

    # --- parts of an operation: `step.Children` ---------------------------------------------------------------------

    async def start_child(self, parent: Operation, index: int) -> Operation:
        """The child of a step, started at most once a run of its parent.

        In a retry a child that failed is retried, and one that ended otherwise (rejected, expired, blocked, cancelled)
        is started again as a new one.
        """
        child = await self.child(parent, index)
        if child is None:
            return await self._create_child(parent, index, f"{parent.id}:{index}")
        began = parent.started_at
        is_over = child.ended_at is not None and began is not None and child.ended_at < began
        if child.state == "planning":
            await self._engine.prepare(child.id)
        if child.state == "succeeded" or not is_over:
            return child
        if child.state == "failed" and child.plan is not None:
            await self._queue_again(child)
            return await self.get(child.id)
        return await self._create_child(parent, index, f"{parent.id}:{index}:{parent.attempt}")

    async def child(self, parent: Operation, index: int) -> Operation | None:
        """The newest child of a step; None where none was started."""
        attempts = range(2, parent.attempt + 1)
        keys = [f"{parent.id}:{index}", *(f"{parent.id}:{index}:{attempt}" for attempt in attempts)]
        return await self._store.operations.child(parent.id, keys)

    async def cancel_child(self, parent: Operation, index: int) -> bool:
        """Stop the child of a step; whether it has ended."""
        child = await self.child(parent, index)
        if child is None or not child.live:
            return True
        if not child.cancelling:
            await self._stop(child, parent.cancelling)
            await self._engine.grant()
        return False

    async def _create_child(self, parent: Operation, index: int, key: str) -> Operation:
        params: Any = parent.planned[index].params
        site = self._configuration.sites.get(params["site"])
        if site is None:
            raise NotFound("site", params["site"])
        options = self._procedures[params["kind"]].options(**params["options"])
        by = Person(parent.requester, parent.requester_name, parent.place.team)
        order = Order(params["kind"], params["target"], site, options, by, parent.place, key)
        child, fresh = await self._store.operations.create(self._new(order, parent.id), key)
        await self._engine.prepare(child.id)
        if fresh:
            await self._audit("start", child, by, parent.place)
        self._changed(parent.id)
        return child

    async def _queue_if_approved(self, operation: Operation) -> None:
        """Queue the run when enough people have approved."""
        request = operation.approval_request
        if request is None or len(operation.approvals) < request.count:
            return
        if await self._store.operations.move(
            operation.id,
            ["waiting"],
            "queued",
            event="approved",
            of=(operation.round, operation.attempt),  # another process may have run it since, and ask again
            attempt=operation.attempt + 1,
            remind=None,
            expires=None,
        ):
            await self._engine.grant(operation.id)

    async def _queue_again(self, failed: Operation, by: Person | None = None) -> bool:
        """Queue another attempt, for somebody who asked for it; False when somebody was faster."""
        moved = await self._store.operations.move(
            failed.id,
            ["failed"],
            "queued",
            of=(failed.round, failed.attempt),
            attempt=failed.attempt + 1,
            outcome=None,
            ended_at=None,
            cancelling="",
        )
        if moved and by:
            await self._note_retry(failed, by)
        if moved:
            await self._engine.grant(failed.id)
            self._changed(failed.id)
        return moved

    # --- the clock --------------------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Remind of requests that are about to expire, end those that have, and take up what was left half-way."""
        now = self._clock.now()
        for waiting in await self._store.operations.due(now):
            if waiting.approval_request and waiting.approval_request.expires <= now:
                if await self._store.operations.move(waiting.id, ["waiting"], "expired", event="ended", ended_at=now):
                    await self._store.leases.release(waiting.id)
                    await self._audit("expire", waiting, BOT, waiting.place)
            else:
                await self._store.operations.change(
                    waiting.id, event="reminded", key=f"reminded:{waiting.round}", remind=None
                )
            self._changed(waiting.id)
        await self.take_up()

    async def take_up(self) -> None:
        """Compare what counts as live with the engine: give it what a crash kept from it, and what it has lost."""
        for operation in await self._store.operations.with_approvals():
            await self._queue_if_approved(operation)  # a crash may have come between the decision and this
        runs = await self._store.operations.runs()
        # With many in the queue, a question for each of them at each sweep would be the most of the work.
        standings = await self._engine.standings(runs)
        for run, state in runs.items():
            live, standing = run[0], standings[run]
            if standing == "lost" or (standing == "absent" and state == "running"):
                await self._take_up_lost(live, state)
            elif standing == "absent" and state == "planning":
                await self._engine.prepare(live)
            elif standing == "absent":
                await self._store.locks.queue_again(live)
        await self._engine.grant()

    async def _take_up_lost(self, lost: str, came_from: State) -> None:
        """Run on from the step that was under way; end what the engine loses again and again, or before its plan."""
        operation = await self.get(lost)
        if operation.state != came_from:
            return  # it has gone on meanwhile
        self._lost[operation.id] += 1
        log.warning("run_lost", operation=operation.id, attempt=operation.attempt, times=self._lost[operation.id])
        state, can_run = [operation.state], operation.plan is not None and not operation.cancelling
        run = operation.round, operation.attempt  # another process may have taken it up meanwhile
        if can_run and self._lost[operation.id] <= LOST_RUNS:
            await self._store.operations.move(operation.id, state, "queued", of=run, attempt=operation.attempt + 1)
        else:
            outcome, now = Outcome(Failure(EngineCause.INTERRUPTED)), self._clock.now()
            await self._store.operations.move(
                operation.id, state, "failed", event="failed", of=run, outcome=outcome, ended_at=now
            )
        self._changed(operation.id)

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _stop(self, operation: Operation, by: str) -> bool:
        """Cancel it: at once where nothing runs, else after the step that is under way. False when it has ended."""
        outcome = Outcome(by=by)
        states: list[State] = ["planning", "waiting", "queued"]
        if await self._store.operations.move(
            operation.id, states, "cancelled", event="ended", outcome=outcome, ended_at=self._clock.now()
        ):
            await self._store.leases.release(operation.id)
        elif not await self._store.operations.move(operation.id, ["running"], "running", cancelling=by):
            return False
        for related in operation.children:
            child = await self._store.operations.get(related.id)
            if child is not None and child.live:
                await self._stop(child, by)
        self._changed(operation.id)
        return True

    def _new(self, order: Order, parent: str = "") -> Operation:
        procedure = self._procedures[order.kind]
        locks = procedure.locks(order.site, order.target)
        return Operation(
            id=new_id("op"),
            kind=order.kind,
            target=order.target,
            site=order.site.name,
            environment=order.site.environment,
            locks=(*locks, *procedure.locks_of_options(order.site, order.options)),
            requester=order.by.id,
            requester_name=order.by.name,
            place=order.place,
            options=order.options,
            state="planning",
            parent=parent,
            created=self._clock.now(),
        )

    def _permit(self, operation: Operation, by: Person, place: Place, permission: str) -> None:
        """Raises `Denied`. A command with an operation's id names no site, so the site's own rules are applied here."""
        site = self._configuration.sites.get(operation.site)
        self._configuration.policy.decide(by, place, permission, site).enforce()

    async def _deciding(self, operation: str, by: Person) -> Operation:
        """The operation, if `by` may decide about it now."""
        waiting = await self.get(operation)
        if waiting.state != "waiting" or waiting.approval_request is None:
            raise Stale(operation, waiting.state, "waiting")
        self._assess(waiting, waiting.approval_request, by).enforce()
        return waiting

    def _assess(self, operation: Operation, request: ApprovalRequest, person: Person) -> Assessment:
        """Whether this person's decision about the operation would count now."""
        return assess_approver(
            self._configuration.policy,
            _rule(request),
            requester=operation.requester,
            decisions=[decision for decision in operation.decisions if decision.round == operation.round],
            person=person,
            now=self._clock.now(),
            expires=request.expires,
        )

    async def _audit(self, word: str, operation: Operation, by: Person, place: Place, reason: str = "") -> None:
        facts = {
            "kind": operation.kind,
            "target": operation.target,
            "dry_run": operation.dry_run,
            "digest": operation.plan.digest if operation.plan else "",
            "round": operation.round,
            "reason": scrub(reason),
        }
        await self._store.audit.record(
            AuditRow(
                "decision",
                by.id,
                "done",
                f"operation {word} {operation.id}",
                name=by.name,
                site=operation.site,
                channel=place.channel,
                operation=operation.id,
                rule=operation.approval_request.rule if operation.approval_request else "",
                facts=facts,
                at=self._clock.now(),
            )
        )


@dataclass(frozen=True)
class Parts:
    """Operations as parts of others: what steps are given. Implements `step.Children`."""

    operations: Operations
    pause: float = 1
    """Seconds between two looks at a child that is to stop."""

    async def start(self, parent: Operation, index: int) -> Operation:
        """The child of this step."""
        return await self.operations.start_child(parent, index)

    async def get(self, parent: Operation, index: int) -> Operation | None:
        """The newest child of this step."""
        return await self.operations.child(parent, index)

    async def cancel(self, parent: Operation, index: int) -> None:
        """Stop it and wait until it has ended."""
        while not await self.operations.cancel_child(parent, index):  # noqa: ASYNC110 - its state is in the database
            await asyncio.sleep(self.pause)


def _rule(request: ApprovalRequest) -> ApprovalRule:
    """The rule as it was when the request was made: a policy that changed since does not change the request."""
    return ApprovalRule(
        name=request.rule, approvers=request.approvers, count=request.count, self_approval=request.self_approval
    )
