"""What a step is given to work with, made of plain values and small doubles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from services.model.azure import Extension, Pending, Token
from services.model.errors import Absent, AddressTaken, Unreachable
from services.model.kubernetes import Runtime, ServiceRanges
from services.model.operation import StepRun
from services.model.secret import Secret
from services.operations.step import Children, Scene
from services.ports import Azure, Cluster, Leases
from tests.golden.values import SITE, operation, plan

PASSWORD = "hunter2hunter2"


@dataclass
class Edge:
    """A cluster where some addresses are taken, and what was done to it."""

    taken: set[str] = field(default_factory=set)
    seen: Runtime = field(default_factory=Runtime)
    dead: bool = False
    held: list[str] = field(default_factory=list)

    async def runtime(self, _namespace: str) -> Runtime:
        if self.dead:
            raise Unreachable("kubernetes", "hamburg")
        return self.seen

    async def hold_address(self, address: str, _namespace: str, _operation: str) -> None:
        if address in self.taken:
            raise AddressTaken("kubernetes", "hamburg", address=address)
        self.held.append(address)

    async def release_addresses(self, _namespace: str, _operation: str) -> None:
        self.held.clear()

    async def service_ranges(self, _namespace: str) -> ServiceRanges:
        return ServiceRanges(("10.112.0.0/28",), frozenset({"10.112.0.1", *self.taken}), "ServiceCIDR")


@dataclass
class Leased:
    """Addresses that other operations have leased, and our own."""

    others: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)

    async def take(self, _cluster: str, address: str, _operation: str) -> bool:
        if address in self.others:
            return False
        self.own.add(address)
        return True

    async def of_others(self, _cluster: str, _operation: str) -> frozenset[str]:
        return frozenset(self.others)

    async def release(self, _operation: str, *, but: str = "") -> None:
        self.own &= {but}


@dataclass
class Cloud:
    """An Azure with one extension at most; `calls` are the writes."""

    extension: Extension | None = None
    token: Token | None = None
    calls: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def extensions(self) -> "Cloud":
        return self

    @property
    def tokens(self) -> "Cloud":
        return self

    async def get(self, *where: Any) -> Any:
        found = self.token if where[0] == SITE.acr_ref else self.extension
        if found is None:
            raise Absent("azure", str(where[-1]))
        return found

    async def generate_password(self, _acr: Any, _token: str, slot: str, **_: object) -> Secret:
        self.calls.append(("password", slot))
        return Secret(PASSWORD)

    async def create(self, _cluster: Any, name: str, **values: Any) -> Pending:
        self.calls.append((name, values))
        return Pending("/arc/extensions/edge01", "https://arm/status", "status", "correlation")


def scene(
    kind: str,
    *,
    edge: Edge | None = None,
    leased: Leased | None = None,
    cloud: Cloud | None = None,
    params: Mapping[str, object] | None = None,
    outputs: Sequence[object] = (),
    attempt: int = 1,
    waited: timedelta = timedelta(),
    repeated: bool = False,
    failed_before: bool = False,
) -> Scene:
    """The scene of one step of edge01's deployment to hamburg."""
    planned = next(step for step in plan().steps if step.kind == kind)

    steps = tuple(StepRun(index, "complete", output=output) for index, output in enumerate(outputs))

    async def cluster() -> Cluster:
        return cast(Cluster, edge or Edge())

    return Scene(
        operation=operation(state="running", attempt=attempt, steps=steps),
        site=SITE,
        planned=type(planned)(planned.kind, {**planned.params, **(params or {})}, planned.effect),
        azure=cast(Azure, cloud or Cloud()),
        cluster=cluster,
        leases=cast(Leases, leased or Leased()),
        children=cast(Children, None),
        waited=waited,
        repeated=repeated,
        failed_before=failed_before,
    )


def names(calls: Sequence[tuple[str, Any]]) -> list[str]:
    """What was called."""
    return [name for name, _ in calls]
