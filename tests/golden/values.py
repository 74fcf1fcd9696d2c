"""One deployment in each of its states, made of plain values."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Registry
from services.model.errors import Failure, NoAccess
from services.model.kubernetes import Node, ServiceRanges, StorageClass
from services.model.operation import ApprovalRequest, Decision, Operation, Outcome, Related, StepRun
from services.model.people import Place
from services.model.plan import Plan
from services.operations.answers import Answer, Known, NotAsked
from services.operations.deploy.causes import Cause
from services.operations.deploy.observation import Observation
from services.operations.deploy.outputs import (
    AddressHeld,
    ExtensionInstalled,
    RegistryOnline,
    RuntimeVerified,
)
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions, deploy_request
from services.operations.outputs import ImageKept
from services.policy.sites import PROVIDERS, Site

NOW = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
CORRELATION = "0e7f9c1a-0000-4000-8000-000000000001"
SITE = Site.model_validate(
    {
        "name": "hamburg",
        "environment": "production",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": "hamburg-arc"},
        "sync": {"repositories": ["hello-world", "team/app"]},
        "images": {"hello-world": "mcr.microsoft.com/hello-world:latest"},
    }
)
FACTS = {"service_range": "10.112.0.0/24", "addresses": ["10.112.0.20", "10.112.0.21"], "cert_manager": True}
WITHOUT_ACCESS = Site.model_validate(
    SITE.model_dump(exclude={"cluster"}) | {"access": "none", "cluster": {"name": "hamburg-arc", "facts": FACTS}}
)
"""The same site where the bot can't reach the cluster."""
ACR = Registry("/acr", "contosoacr", "westeurope", "Premium", False, "contosoacr.azurecr.io", "Succeeded")
SEEN = Observation(
    providers=Known(dict.fromkeys(PROVIDERS, "Registered") | {"Microsoft.ExtendedLocation": "NotRegistered"}),
    registry=Known(ACR),
    connected=Known(()),
    scope_map=Known(None),
    token=Known(None),
    cluster=Known(ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW, "1.33.4")),
    extensions=Known(()),
    kubernetes_version=Known("v1.33.4"),
    nodes=Known((Node("hamburg-1", "linux", "amd64", True),)),
    storage_classes=Known((StorageClass("standard", True),)),
    namespace_phase=Known(""),
    cert_manager=Known(True),
    ranges=Known(ServiceRanges(("10.112.0.0/24",), frozenset({"10.112.0.1"}), "ServiceCIDR")),
    missing_rights=Known(()),
    runtime=Known(None),
    images={repository: Known("sha256:9f86d081") for repository in SITE.sync.repositories},
)
BLOCKED = replace(
    SEEN,
    registry=Known(replace(ACR, sku="Basic")),
    nodes=Known((Node("hamburg-1", "linux", "arm64", True),)),
    storage_classes=Known(()),
)


UNSEEN: Answer[Any] = NotAsked(NoAccess("kubernetes", "hamburg"))
WITHOUT_CLUSTER = replace(
    SEEN,
    kubernetes_version=UNSEEN,
    nodes=UNSEEN,
    storage_classes=UNSEEN,
    namespace_phase=UNSEEN,
    cert_manager=Known(True, proven=False),
    ranges=Known(
        ServiceRanges(("10.112.0.0/24",), frozenset(), "site file", ("10.112.0.20", "10.112.0.21")), proven=False
    ),
    missing_rights=UNSEEN,
    runtime=UNSEEN,
)


def plan(seen: Observation = SEEN, site: Site = SITE) -> Plan:
    """What a deployment of edge01 would do."""
    return DEPLOY.make_plan(site, deploy_request(site, "edge01"), seen, NOW)


def operation(**changes: Any) -> Operation:
    """Deploy edge01 to hamburg."""
    made: Plan = changes.pop("plan", plan())
    base = Operation(
        id="op-7k3q9xa",
        kind="deploy",
        target="edge01",
        site="hamburg",
        environment="production",
        locks=("/arc",),
        requester="U0ALICE",
        requester_name="alice",
        place=Place("T0CONTOSO", "C0EDGE", "edge-ops"),
        options=DeployOptions(),
        state="waiting",
        created=NOW,
        plan=made,
        steps=tuple(StepRun(index) for index in range(len(made.steps))),
        started_at=NOW + timedelta(minutes=2),
    )
    return replace(base, **changes)


OUTPUTS: Mapping[int, object] = {
    0: AddressHeld("10.112.0.2"),
    3: ImageKept("hello-world:latest", "sha256:9f86d081"),
    7: ExtensionInstalled("0.11.0"),
    8: RuntimeVerified("10.112.0.2", "Bound"),
    9: RegistryOnline(NOW),
}
"""What the steps hand on, by their places in the plan."""


def ran(steps: int, error: bool = False, running: bool = False) -> tuple[StepRun, ...]:
    """The first steps done, and the next one failed or under way."""
    found = [
        StepRun(index, "complete", at(index), at(index + 1), CORRELATION, OUTPUTS.get(index)) for index in range(steps)
    ]
    if error or running:
        found.append(StepRun(steps, "error" if error else "running", at(steps), None, CORRELATION))
    return (*found, *(StepRun(index) for index in range(len(found), len(plan().steps))))


def at(step: int) -> datetime:
    """When a step begins, twelve seconds after the one before."""
    return NOW + timedelta(minutes=2, seconds=12 * step)


ASKED = ApprovalRequest(
    "production needs a second person",
    ("edge-approvers", "dana"),
    2,
    False,
    NOW + timedelta(days=1),
    NOW + timedelta(hours=22),
    ("S0APPROVERS", "U0DANA"),
)
REASON = "Not before <Monday>\n- the line is full"
REJECTION = Decision(1, "U0BOB", "bob", "reject", NOW + timedelta(minutes=1), REASON)
BOB = Decision(1, "U0BOB", "bob", "approve", NOW + timedelta(minutes=1))
ENDED = NOW + timedelta(minutes=5)
CHANGED = plan(replace(SEEN, registry=Known(replace(ACR, data_endpoint=True))))
DONE = ran(len(plan().steps))
TAKEN = Failure(Cause.ADDRESS_TAKEN, {"address": "10.112.0.2"}, CORRELATION)

STATES: Mapping[str, Operation] = {
    "planning": operation(state="planning", plan=plan(), steps=()),
    "blocked": operation(state="blocked", plan=plan(BLOCKED), ended_at=ENDED),
    "previewed": operation(state="previewed", dry_run=True),
    "waiting": operation(approval_request=ASKED),
    "waiting-half-approved": operation(approval_request=ASKED, decisions=(BOB,)),
    "waiting-again": operation(approval_request=ASKED, decisions=(BOB,), round=2, plan=CHANGED, approved=plan()),
    "waiting-without-access": operation(approval_request=ASKED, plan=plan(WITHOUT_CLUSTER, WITHOUT_ACCESS)),
    "queued": operation(
        state="queued", decisions=(BOB,), waits_for=(Related("op-2b4d6f8", "deploy", "edge02", "hamburg", "running"),)
    ),
    "running": operation(state="running", decisions=(BOB,), steps=ran(4, running=True)),
    "stopping": operation(state="running", decisions=(BOB,), steps=ran(4, running=True), cancelling="carol"),
    "succeeded": operation(state="succeeded", decisions=(BOB,), steps=DONE, ended_at=ENDED),
    "failed": operation(state="failed", steps=ran(7, error=True), outcome=Outcome(TAKEN, 7), ended_at=ENDED),
    "cancelled": operation(state="cancelled", steps=ran(4, running=True), outcome=Outcome(by="carol"), ended_at=ENDED),
    "rejected": operation(
        state="rejected", decisions=(REJECTION,), outcome=Outcome(by="bob", reason=REASON), ended_at=ENDED
    ),
    "expired": operation(state="expired", ended_at=ENDED),
}
REGISTRY = ConnectedRegistry(
    id="/acr/connectedRegistries/edge01",
    name="edge01",
    mode="ReadOnly",
    connection_state="Online",
    activation="Active",
    provisioning_state="Succeeded",
    token_id="/acr/tokens/edge01",
    schedule="0 3 * * *",
    window=timedelta(hours=3),
    message_ttl=timedelta(days=2),
    login_server="10.112.0.2",
    version="0.11.0",
    last_sync=NOW - timedelta(minutes=4),
    last_activity=NOW,
    log_level="Information",
    notifications=("hello-world:push",),
    gc_enabled=True,
    gc_schedule="0 0 * * *",
)
EXTENSION = Extension("/arc/extensions/edge01", "edge01", "microsoft.containerregistry.connectedregistry", "Succeeded")
