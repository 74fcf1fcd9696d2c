"""Names, reasons and foreign texts can't mention, link or call a channel, wherever a view puts them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from handlers.kit.message import File, Message
from handlers.views import (
    about,
    alert,
    audit,
    checks,
    cloud_registries,
    clusters,
    connected,
    errors,
    extensions,
    home,
    operation,
    permissions,
    providers,
    script,
    site_values,
    sites,
    summary,
    tokens,
    watches,
)
from services.model import errors as model_errors
from services.model.about import About, Setting
from services.model.audit import AuditEntry, AuditRow, AuditSelection
from services.model.azure import ArcCluster, ExtensionStatus, PasswordSlot, Registry, ScopeMap, StatusDetail, Token
from services.model.errors import DomainError, Invalid, NotFound, Unreachable
from services.model.health import HealthReason, Sighting, Target
from services.model.incident import Incident
from services.model.kubernetes import Certificate, Node, Runtime, RuntimePod, ServiceRanges, StorageClass
from services.model.operation import Decision, Event, Outcome
from services.model.people import Person, Place
from services.model.plan import Finding
from services.model.watch import Watch
from services.operations.answers import Known, Unknown
from services.operations.deploy.installation import Installation
from services.operations.rollback.plan import recorded
from services.policy.access import Denial, Grant
from services.policy.placement import Placement
from services.policy.sync_permissions import lineage
from services.watching.health import health
from services.watching.summaries import Report
from services.watching.summaries import summary as summarised
from tests.golden.values import ACR as ACR_VALUE
from tests.golden.values import EXTENSION, REGISTRY, SITE, STATES

HOSTILE = "<!here|x> <https://evil.example|click> <@U0BOB> & `code` *bold*"
RAW = ("<!here", "<https://evil", "<@U0BOB>")
NOW = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
PERSON = Person("U0ALICE", HOSTILE, "T0", groups=frozenset({HOSTILE}), tz=HOSTILE)
ACR = f"/subscriptions/s/registries/{HOSTILE}"
SIGHTING = Sighting(
    target=Target(ACR, HOSTILE),
    at=NOW,
    connection_state=HOSTILE,
    schedule=HOSTILE,
    details=(StatusDetail("t", HOSTILE, HOSTILE),),
    cluster=HOSTILE,
    failed=HOSTILE,
)
WATCH = Watch("w-1", Place("T0", "C0"), "site", HOSTILE, "0 9 * * *", "UTC", "on", "U0ALICE", NOW)
FACTS = MappingProxyType(
    {"error": HOSTILE, "codes": (HOSTILE,), "descriptions": (HOSTILE,), "schedule": HOSTILE, "cluster": HOSTILE}
)
CONCERN = alert.Concern((HOSTILE,), (HOSTILE,))
PAIRS = [(SIGHTING, health(SIGHTING, NOW)), (replace(SIGHTING, failed=""), health(replace(SIGHTING, failed=""), NOW))]


def incident(reason: HealthReason, **values: Any) -> Incident:
    usual: dict[str, Any] = {"kind": "registry", "severity": "critical", "state": "offline", "changed": NOW}
    usual |= {"subject": f"{ACR}/{HOSTILE}", "children": (HOSTILE,), "facts": FACTS, "opened": NOW}
    return Incident(id=HOSTILE, reason=reason, **usual | values)


def incidents() -> Iterator[Message]:
    for reason in HealthReason:
        for kind in ("registry", "cluster", "acr"):
            for ended in (None, NOW + timedelta(hours=1)):
                one = incident(reason, kind=kind, resolved=ended)
                yield alert.card(one, CONCERN)
                yield alert.details(one, PAIRS, NOW, CONCERN)
                yield Message(alert.line(replace(one, resolved=None, severity="warning"), one, CONCERN))
                yield alert.answer(one, CONCERN)
                yield alert.listing([(one, CONCERN)], NOW, watches=1, watch_line="/registry watch SITE")


def watching() -> Iterator[Message]:
    yield watches.preview(WATCH, NOW, saves="watch x")
    report = Report(summarised(PAIRS, [], NOW), (HOSTILE,))
    yield watches.saved(WATCH, NOW, report)
    yield watches.removed(WATCH)
    yield watches.listing([WATCH] * 20, NOW, watch_line="/registry watch SITE", hidden=1)
    yield summary.of_watch(WATCH, report)
    yield summary.of_watch(WATCH, report, mine=True)


def people() -> Iterator[Message]:
    grant = Grant(name=HOSTILE[:100], roles=("viewer",), to=(HOSTILE,), sites=(HOSTILE,))
    denial = Denial(name=HOSTILE[:100], permissions=(HOSTILE,), to=(HOSTILE,))
    yield about.whoami(PERSON, [(grant, HOSTILE)], [denial], ["C0"], "")
    yield about.whoami(PERSON, [(grant, HOSTILE)], [denial], ["C0"], HOSTILE)
    failed = Unreachable("azure", HOSTILE)
    answers = [(HOSTILE, failed)]
    yield about.ping(About(HOSTILE, NOW, HOSTILE), answers, timedelta(seconds=8), reference=HOSTILE, now=NOW)


def refusals() -> Iterator[DomainError]:
    # Another version of the bot may have stored words that this one does not have.
    unknown: Any = HOSTILE
    yield NotFound(unknown, HOSTILE, (HOSTILE,), (HOSTILE,))
    facts = {"usage": HOSTILE, "choices": (HOSTILE,), "near": (HOSTILE,), "mark": HOSTILE}
    facts |= {"part": HOSTILE, "field": "minute", "ranges": (HOSTILE,), "site": HOSTILE, "schedule": HOSTILE}
    facts |= {"reason": HOSTILE}
    numbers: dict[str, Any] = {"position": 0, "length": 1, "low": 0, "high": 7, "count": 6, "most": 9, "rows": 10}
    numbers |= {"longest": timedelta(days=7), "value": timedelta(days=1)}
    bounds = numbers | {"low": timedelta(days=1), "high": timedelta(days=2)}
    for rule in (*errors.RULES, unknown):
        yield Invalid(HOSTILE, HOSTILE, rule, {**facts, **(bounds if rule.endswith(("bounds", ".short")) else numbers)})
    for denial in (*errors.DENIALS, unknown):
        site = {"site": HOSTILE, "environment": HOSTILE, "approvers": (HOSTILE,)}
        yield model_errors.Denied(denial, {"name": HOSTILE, "permission": HOSTILE, **site})
    yield model_errors.Stale(HOSTILE, HOSTILE, unknown)
    foreign = (model_errors.Unreachable, model_errors.NotAuthenticated, model_errors.Absent, model_errors.Conflict)
    for kind in (*foreign, model_errors.Refused, model_errors.Throttled):
        yield kind(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    yield model_errors.NotAllowed("azure", HOSTILE, HOSTILE, HOSTILE, HOSTILE, action=HOSTILE)


def operations() -> Iterator[Message]:
    decision = Decision(1, "U0BOB", HOSTILE, "reject", NOW, HOSTILE)
    for state in STATES.values():
        one = replace(state, requester_name=HOSTILE, target=HOSTILE, site=HOSTILE, environment=HOSTILE)
        one = replace(one, decisions=(decision,), cancelling=HOSTILE if state.cancelling else "")
        request = one.approval_request
        request = replace(request, rule=HOSTILE, approvers=(HOSTILE,)) if request else None
        outcome = replace(one.outcome or Outcome(), by=HOSTILE, reason=HOSTILE)
        one = replace(one, approval_request=request, outcome=outcome)
        yield operation.card(one)
        yield operation.card(one, plan_blocks=False)
        yield operation.details(one, recorded(one), script=True)
        yield script.script(one, [HOSTILE] * len(one.planned), cloud="")
        yield script.none(one)
        yield operation.listing((one,), 1, turns="operation list", more=True)
        for kind in ("asked", "approved", "reminded", "changed", "ended", "failed"):
            yield Message(operation.thread_line(one, Event(1, one.id, kind, NOW)))  # type: ignore[arg-type]
        yield Message(operation.thread_line(one, Event(1, one.id, "withdrawn", NOW, facts={"name": HOSTILE})))


def registries() -> Iterator[Message]:
    one = replace(REGISTRY, name=HOSTILE, connection_state=HOSTILE, activation=HOSTILE, mode=HOSTILE)
    one = replace(one, schedule=HOSTILE, parent=HOSTILE, login_server=HOSTILE, version=HOSTILE)
    one = replace(one, status_details=SIGHTING.details, client_token_ids=(HOSTILE,))
    extension = replace(EXTENSION, name=HOSTILE, provisioning_state=HOSTILE, version=HOSTILE)
    failed = Unreachable("azure", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    for placement in (Placement(extensions=((SITE, extension),)), Placement(unasked=((SITE, failed),))):
        yield connected.card(connected.Detail(SITE.acr_ref, one, placement), NOW)
        row = connected.row(SITE.acr_ref, one, placement, NOW)
        fleet = connected.Fleet((row,), ((HOSTILE, failed),), (HOSTILE,))
        yield connected.listing(fleet, connected.Selection((row,), 1, "list"), NOW)
        yield home.overview(
            home.Overview(True, (HOSTILE,), (), (), ((incident(HealthReason.REMOVED), CONCERN),), fleet, HOSTILE, NOW)
        )
        unasked: Any = Unknown(failed)
        cluster = clusters.ClusterDetail(SITE, *[unasked] * 9)
        values = site_values.values({}, (Setting(HOSTILE, HOSTILE, is_default=False),), unasked, cluster)
        yield sites.card(sites.SiteDetail(cluster, unasked, fleet, {HOSTILE: None}, (HOSTILE,), values))
    finding = Finding("cluster.arc", "blocker", "arc.absent", {"name": HOSTILE, "cluster": HOSTILE})
    yield checks.report("deploy", SITE, HOSTILE, (finding,))


def installations() -> Iterator[Message]:
    one = replace(REGISTRY, name=HOSTILE, connection_state=HOSTILE, activation=HOSTILE, mode=HOSTILE, parent="above")
    one = replace(one, token_id=f"/tokens/{HOSTILE}", client_token_ids=(f"/tokens/{HOSTILE}", "/tokens/x"))
    above = replace(one, name="above", parent="", token_id="/tokens/above")
    status = ExtensionStatus(HOSTILE, HOSTILE, HOSTILE)
    extension = replace(EXTENSION, name=HOSTILE, provisioning_state=HOSTILE, version=HOSTILE, release_train=HOSTILE)
    extension = replace(extension, problems=(status,), information=(status,), settings={"service.clusterIP": HOSTILE})
    extension = replace(extension, release_namespace=HOSTILE)
    failed = Unreachable("azure", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    sync_token = Token(
        "/t", HOSTILE, f"/scopeMaps/{HOSTILE}", enabled=True, passwords=(PasswordSlot("password1", NOW),)
    )
    scope_map = ScopeMap("/s", HOSTILE, (f"repositories/{HOSTILE}/content/read",))
    arc = ArcCluster("/arc", HOSTILE, HOSTILE, HOSTILE, NOW, HOSTILE, HOSTILE, HOSTILE, 1, NOW)
    runtime = Runtime(HOSTILE, False, 1, 0, (HOSTILE,), HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    runtime = replace(runtime, log=HOSTILE, warnings=(HOSTILE,), pods=(RuntimePod(HOSTILE, HOSTILE, HOSTILE, HOSTILE),))
    certificates = (Certificate(HOSTILE, False, HOSTILE, NOW),)
    for state in (HOSTILE, "Failed", "Succeeded"):
        own = replace(extension, provisioning_state=state)
        for answers in (
            (Known(arc), Known(sync_token), Known(None), Known(runtime), Known(certificates)),
            (Unknown(failed),) * 5,
        ):
            installation = Installation(SITE, one, own, *answers)
            placement = Placement(extensions=((SITE, own),), unasked=((SITE, failed),))
            detail = connected.Detail(SITE.acr_ref, one, placement, None, ((HOSTILE, failed),), (one, above))
            yield extensions.card(detail, installation, NOW)
    yield extensions.absent(detail)
    yield extensions.absent(replace(detail, placement=Placement()))
    yield tokens.listing(detail, [sync_token], NOW)
    for present in ((sync_token,), ()):
        family = lineage(one, (one, above), [*present, replace(sync_token, name="above")], [scope_map])
        yield permissions.card(detail, family, 1)
    unasked: Any = Unknown(failed)
    for arc_answer in (Known[ArcCluster | None](arc), unasked):
        yield clusters.listing([clusters.Row(SITE.cluster_ref, (HOSTILE,), arc_answer)], 1, 1, 1)
    inside: Any = (
        Known(HOSTILE),
        Known((Node(HOSTILE, HOSTILE, HOSTILE, False),)),
        Known((StorageClass(HOSTILE, False),)),
        Known(True),
        Known(True),
        Known(ServiceRanges((HOSTILE,), frozenset(), "refusal")),
        Known("unproven"),
    )
    yield clusters.card(clusters.ClusterDetail(SITE, Known(arc), Known((extension,)), *inside))
    acr = replace(ACR_VALUE, sku=HOSTILE, location=HOSTILE, login_server=HOSTILE, provisioning_state=HOSTILE)
    acr = replace(acr, public_network_access=HOSTILE, data_endpoint_hosts=(HOSTILE,))
    for registry in (Known[Registry | None](acr), Known[Registry | None](None), unasked):
        yield cloud_registries.card(SITE, registry, Known((one,)))
    for states in (Known[Mapping[str, str]]({HOSTILE: HOSTILE}), unasked):
        yield providers.card(SITE, states, Known(HOSTILE))


def audits() -> Iterator[Message]:
    texts: dict[str, Any] = dict.fromkeys(("person", "name", "site", "channel", "operation", "rule"), HOSTILE)
    facts: dict[str, Any] = {
        "kind": HOSTILE,
        "target": HOSTILE,
        "step": HOSTILE,
        "effect": "create",
        "params": {"name": HOSTILE},
    }
    facts |= {"digest": HOSTILE, "reason": HOSTILE, "subject": HOSTILE, "result": HOSTILE, "dry_run": True}
    facts |= {"approved_by": ({"person": HOSTILE, "name": HOSTILE},)}
    selection = AuditSelection(NOW, HOSTILE, [HOSTILE], HOSTILE)
    for kind, text in (
        ("command", HOSTILE),
        ("write", HOSTILE),
        ("decision", HOSTILE),
        ("decision", "alert x <!here|x>"),
    ):
        for outcome in ("done", "denied", "failed"):
            for details in (facts, {}):
                row = AuditRow(kind, text=text, outcome=outcome, facts=details, at=NOW, **texts)  # type: ignore[arg-type]
                yield audit.page([AuditEntry(1, row, "", "")], selection, turns="audit", first=True, more=True)
    yield audit.nothing(selection)
    yield audit.exported(selection, 1, File("a", HOSTILE, HOSTILE))


def mrkdwn(value: object) -> Iterator[str]:
    """All texts of a message in which Slack reads marks."""
    match value:
        case Message():
            yield value.text
            yield from mrkdwn(value.blocks)
            yield from mrkdwn(value.attachments)
        case Mapping():
            if value.get("type") == "mrkdwn":
                yield str(value["text"])
            if "fallback" in value:
                yield str(value["fallback"])
            for inner in value.values():
                yield from mrkdwn(inner)
        case list() | tuple():
            for inner in value:
                yield from mrkdwn(inner)


@pytest.mark.parametrize(
    "views",
    [incidents, watching, people, operations, registries, installations, audits],
    ids=lambda each: each.__name__,
)
def test_a_hostile_value_is_escaped_in_every_view(views: Any) -> None:
    raw = {text for message in views() for text in mrkdwn(message) if any(each in text for each in RAW)}

    assert raw == set()


def test_a_hostile_value_is_escaped_in_every_error() -> None:
    texts = [errors.explanation(error, slash="/registry") for error in refusals()]

    assert [text for text in texts if any(raw in text for raw in RAW)] == []
