"""The work of the workflows with a span for each part: put between engine and runner where traces are collected.

The root of an operation's trace is its planning. Each run is a child of it, and each step a child of its run; both are
complete spans only when they end, by whichever process that happens in.
"""

from services.model.errors import DatabaseAway
from services.model.operation import Operation
from services.ports import JsonObject, Work
from services.store import Store
from services.traces import Attribute, SpanIds, Traces, operation_ids

_FAILED = frozenset({"failed", "blocked"})


class TracedWork:
    """A `ports.Work`."""

    def __init__(self, work: Work, store: Store, traces: Traces) -> None:
        self._work = work
        self._store = store
        self._traces = traces

    async def prepare(self, operation: str) -> JsonObject:
        """See `ports.Work`."""
        with self._traces.part("plan", None, ids=operation_ids(operation)):
            answer = await self._work.prepare(operation)
            if (planned := await self._after(operation)) is not None:
                self._traces.describe(f"plan {planned.kind}", _attributes(planned) | {"operation.state": planned.state})
                if planned.parent:
                    self._traces.link(planned.parent)
        return answer

    async def granted(self, around: str = "") -> JsonObject:
        """See `ports.Work`."""
        return await self._work.granted(around)

    async def waits(self, operation: str) -> bool:
        """See `ports.Work`."""
        return await self._work.waits(operation)

    async def confirm(self, operation: str, attempt: int) -> JsonObject:
        """See `ports.Work`."""
        with self._traces.part("confirm", operation_ids(operation), attributes={"operation.id": operation}):
            return await self._work.confirm(operation, attempt)

    async def begin(self, operation: str, index: int) -> JsonObject:
        """See `ports.Work`."""
        step = await self._step_ids(operation, index)
        with self._traces.part("begin", step, attributes={"operation.id": operation}):
            outcome = await self._work.begin(operation, index)
        await self._end_step(operation, index, outcome)
        return outcome

    async def wait(self, operation: str, index: int, token: JsonObject) -> JsonObject:
        """See `ports.Work`."""
        step = await self._step_ids(operation, index)
        with self._traces.part("wait", step, attributes={"operation.id": operation}):
            outcome = await self._work.wait(operation, index, token)
        await self._end_step(operation, index, outcome)
        return outcome

    async def end(self, operation: str, outcome: JsonObject) -> None:
        """See `ports.Work`."""
        running = await self._get(operation)
        run = _run_ids(running)
        with self._traces.part("end", run, attributes={"operation.id": operation}):
            await self._work.end(operation, outcome)
        if (ended := await self._after(operation)) is None:
            return
        self._traces.past(
            f"run {ended.kind}",
            run,
            operation_ids(operation),
            running.started_at,
            failed=ended.state in _FAILED,
            attributes=_attributes(ended) | {"operation.attempt": ended.attempt, "operation.state": ended.state},
        )

    async def _step_ids(self, operation: str, index: int) -> SpanIds:
        return _ids_of_step(await self._get(operation), index)

    async def _end_step(self, operation: str, index: int, outcome: JsonObject) -> None:
        current = await self._after(operation) if outcome["state"] != "going" else None
        if current is None:
            return
        step = current.steps[index]
        attributes: dict[str, Attribute] = {
            "operation.id": operation,
            "operation.site": current.site,
            "step.effect": current.planned[index].effect,
            "step.state": outcome.get("why") or outcome["state"],
        }
        if step.correlation_id:
            attributes["azure.correlation_id"] = step.correlation_id
        self._traces.past(
            current.planned[index].kind,
            _ids_of_step(current, index),
            _run_ids(current),
            step.started,
            failed=outcome.get("why") == "failed",
            attributes=attributes,
        )

    async def _after(self, operation: str) -> Operation | None:
        """None while the database is away: a span is lost then, but a part that is done is not played again for it."""
        try:
            return await self._get(operation)
        except DatabaseAway:
            return None

    async def _get(self, operation: str) -> Operation:
        stored = await self._store.operations.get(operation)
        if stored is None:
            raise LookupError(operation)
        return stored


def _run_ids(operation: Operation) -> SpanIds:
    return operation_ids(operation.id, f"run {operation.attempt}")


def _ids_of_step(operation: Operation, index: int) -> SpanIds:
    return operation_ids(operation.id, f"run {operation.attempt} step {index}")


def _attributes(operation: Operation) -> dict[str, Attribute]:
    return {
        "operation.id": operation.id,
        "operation.kind": operation.kind,
        "operation.target": operation.target,
        "operation.site": operation.site,
    }
