"""Start, approve, reject, cancel and retry operations: the same for commands, buttons and the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

import structlog

from services.model.audit import AuditRow
from services.model.errors import Failure, NotFound, Stale
from services.model.ids import new_id
from services.model.operation import Asked, Decision, Ended, Operation, State
from services.model.people import Person, Place
from services.operations.deploy.diagnosis import Cause
from services.policy.access import ApprovalRule
from services.policy.approvals import check_possible, groups, judge
from services.policy.sites import Site
from services.ports import Configuration, Slack, Starter
from services.store import Store

BOT = Person("bot", "bot", "")
"""Who ends what nobody decided about."""
log = structlog.get_logger("operations")


@dataclass(frozen=True)
class Order:
    """What somebody asks for. `params` are options of the kind's request, JSON-like values, no secrets."""

    kind: str
    target: str
    site: Site
    params: Mapping[str, object]
    by: Person
    place: Place
    key: str
    dry_run: bool = False


class Operations:
    """The life of operations. `changed` is called whenever people should see something new."""

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        slack: Slack,
        engine: Starter,
        changed: Callable[[str], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._slack = slack
        self._engine = engine
        self._changed = changed
        self._now = now

    async def start(self, order: Order) -> Operation:
        """Record the request and begin to plan. The same `key` gives the same operation, however often it comes.

        Raises `Denied` when the policy wants approvals that nobody could give.
        """
        rule = self._configuration.policy.approval(order.kind, order.site)
        if rule and not order.dry_run:
            await self._check_possible(rule, order.by)
        operation, fresh = await self._store.operations.create(self._new(order), order.key)
        await self._engine.prepare(operation.id)
        if fresh:
            log.info("asked", operation=operation.id, kind=order.kind, target=order.target, site=order.site.name)
            self._changed(operation.id)
        return operation

    async def get(self, operation: str) -> Operation:
        """Raises `NotFound` with ids that look alike."""
        found = await self._store.operations.get(operation)
        if found is None:
            # Only what differs by a slip: the line that is offered to be copied may approve or cancel.
            recent = [one.id for one in await self._store.operations.find(limit=50)]
            raise NotFound("operation", operation, tuple(get_close_matches(operation, recent, cutoff=0.75)))
        return found

    async def find(
        self, *, site: str | None = None, states: tuple[State, ...] | None = None, skip: int = 0, limit: int = 20
    ) -> tuple[Operation, ...]:
        """The newest ones but for the first `skip`, newest first."""
        return await self._store.operations.find(site=site, states=states, skip=skip, limit=limit)

    # --- decisions --------------------------------------------------------------------------------------------------

    async def approve(self, operation: str, by: Person, place: Place, digest: str = "") -> Operation:
        """Count `by`'s approval of the plan; the last one needed queues the run.

        `digest` is of the plan that they saw, from the button; raises `Stale` when it is another by now, `Denied` when
        their approval does not count.
        """
        found = await self._deciding(operation, by)
        self._permit(found, by, place, "operation:approve")
        if digest and found.plan and digest != found.plan.digest:
            raise Stale(operation, "changed", "waiting")
        now = self._now()
        await self._store.operations.decide(operation, Decision(found.round, by.id, by.name, "approve", now))
        await self._audit("approve", found, by, place)
        found = await self.get(operation)
        if found.asked and len(found.approvals) >= found.asked.count:
            attempt = found.attempt + 1
            if await self._store.operations.move(
                operation, ["waiting"], "queued", event="approved", attempt=attempt, remind=None, expires=None
            ):
                await self._run(found, attempt)
        self._changed(operation)
        return await self.get(operation)

    async def reject(self, operation: str, by: Person, place: Place, reason: str) -> Operation:
        """End it without a run. Raises as `approve` does; a requester may always take their own request back."""
        found = await self.get(operation)
        if found.requester != by.id:
            found = await self._deciding(operation, by)
            self._permit(found, by, place, "operation:approve")
        ended = Ended(by=by.name, reason=reason)
        moved = await self._store.operations.move(
            operation, ["waiting"], "rejected", event="ended", ended=ended, ended_at=self._now()
        )
        if not moved:
            raise Stale(operation, (await self.get(operation)).state, "waiting")
        await self._store.operations.decide(
            operation, Decision(found.round, by.id, by.name, "reject", self._now(), reason)
        )
        await self._over(found, by, place, "reject")
        return await self.get(operation)

    async def cancel(self, operation: str, by: Person, place: Place) -> Operation:
        """Stop it: at once where nothing runs, else after the step that is under way. Raises `Stale` at its end."""
        found = await self.get(operation)
        self._permit(found, by, place, "operation:cancel")
        stopped = await self._store.operations.move(
            operation,
            ["planning", "waiting", "queued"],
            "cancelled",
            event="ended",
            ended=Ended(by=by.name),
            ended_at=self._now(),
        )
        if stopped:
            await self._over(found, by, place, "cancel")
            return await self.get(operation)
        if not await self._store.operations.move(operation, ["running"], "running", cancelling=by.name):
            raise Stale(operation, found.state, "live")
        await self._audit("cancel", found, by, place)
        self._changed(operation)
        return await self.get(operation)

    async def retry(self, operation: str, by: Person, place: Place) -> Operation:
        """Run it again from the step that failed. Raises `Stale` unless it failed, and had a plan."""
        found = await self.get(operation)
        self._permit(found, by, place, "operation:retry")
        attempt = found.attempt + 1
        if found.plan is None:
            raise Stale(operation, found.state, "failed")
        moved = await self._store.operations.move(
            operation, ["failed"], "queued", attempt=attempt, ended=None, ended_at=None, cancelling=""
        )
        if not moved:
            raise Stale(operation, found.state, "failed")
        await self._audit("retry", found, by, place)
        await self._run(found, attempt)
        self._changed(operation)
        return await self.get(operation)

    # --- the clock --------------------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Remind of requests that are about to expire, and end those that have."""
        now = self._now()
        for found in await self._store.operations.due(now):
            if found.asked and found.asked.expires <= now:
                if await self._store.operations.move(found.id, ["waiting"], "expired", event="ended", ended_at=now):
                    await self._store.leases.release(found.id)
                    await self._audit("expire", found, BOT, found.place)
            else:
                await self._store.operations.change(
                    found.id, event="reminded", key=f"reminded:{found.round}", remind=None
                )
            self._changed(found.id)

    async def take_up(self) -> None:
        """After a start: give the engine what a crash kept from it, and end runs that it has given up."""
        for found in await self._store.operations.find(states=("planning", "queued", "running"), limit=10_000):
            if found.state == "planning":
                await self._engine.prepare(found.id)
            elif found.state == "queued":
                await self._run(found, found.attempt)
            elif await self._engine.lost(found.id, found.attempt):
                ended = Ended(Failure(Cause.INTERRUPTED))
                await self._store.operations.move(
                    found.id, ["running"], "failed", event="failed", ended=ended, ended_at=self._now()
                )
                self._changed(found.id)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _new(self, order: Order) -> Operation:
        return Operation(
            id=new_id("op"),
            kind=order.kind,
            target=order.target,
            site=order.site.name,
            environment=order.site.environment,
            cluster=order.site.cluster_ref.id.lower(),
            requester=order.by.id,
            requester_name=order.by.name,
            place=order.place,
            params=order.params,
            state="planning",
            created=self._now(),
            dry_run=order.dry_run,
        )

    async def _run(self, operation: Operation, attempt: int) -> None:
        turn = await self._store.operations.runs(operation.cluster)
        await self._engine.run(operation.id, attempt, operation.cluster, turn)

    async def _check_possible(self, rule: ApprovalRule, by: Person) -> None:
        policy = self._configuration.policy
        members = {group: await self._slack.members(group) for group in groups(policy, rule)}
        check_possible(policy, rule, requester=by.id, members=members)

    def _permit(self, found: Operation, by: Person, place: Place, permission: str) -> None:
        """Raises `Denied`. The door knows no site from an operation's id, so the site's own rules are asked here."""
        site = self._configuration.sites.get(found.site)
        self._configuration.policy.decide(by, place, permission, site).enforce()

    async def _deciding(self, operation: str, by: Person) -> Operation:
        """The operation, if `by` may decide about it now."""
        found = await self.get(operation)
        if found.state != "waiting" or found.asked is None:
            raise Stale(operation, found.state, "waiting")
        judge(
            self._configuration.policy,
            _rule(found.asked),
            requester=found.requester,
            decisions=[one for one in found.decisions if one.round == found.round],
            person=by,
            now=self._now(),
            expires=found.asked.expires,
        ).enforce()
        return found

    async def _over(self, operation: Operation, by: Person, place: Place, word: str) -> None:
        await self._store.leases.release(operation.id)
        await self._audit(word, operation, by, place)
        self._changed(operation.id)

    async def _audit(self, word: str, operation: Operation, by: Person, place: Place) -> None:
        digest = operation.plan.digest if operation.plan else ""
        await self._store.audit.record(
            AuditRow(
                "decision",
                by.id,
                "done",
                f"operation {word} {operation.id}",
                channel=place.channel,
                operation=operation.id,
                rule=operation.asked.rule if operation.asked else "",
                facts={"digest": digest, "round": operation.round, "name": by.name},
            )
        )


def _rule(asked: Asked) -> ApprovalRule:
    """The rule as it was when the request was made: a policy changed since does not change what was asked."""
    return ApprovalRule(
        name=asked.rule, approvers=asked.approvers, count=asked.count, self_approval=asked.self_approval
    )
