"""What a rollback knows of an operation, and what of it goes."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.views.procedures.rollback import REASONS
from services.model.azure import ArcCluster, PasswordSlot
from services.model.errors import Invalid
from services.model.kubernetes import DeployedWorkload, WorkloadSpec
from services.model.operation import Operation, Outcome, StepRun
from services.model.plan import Plan, PlannedStep
from services.operations import children
from services.operations.answers import Known
from services.operations.outputs import ImageKept
from services.operations.procedures import PROCEDURES
from services.operations.remove.observation import Observation
from services.operations.remove.request import Code as RemovalCode
from services.operations.rollback import observation as rollback
from services.operations.rollback.inverses import INVERSES
from services.operations.rollback.plan import changes_of
from services.operations.rollback.procedure import ROLLBACK
from services.operations.rollback.request import Code, Reason, RollbackOptions
from services.operations.workload_removal import Place
from tests.golden.kinds import sync_scope_map, sync_token
from tests.golden.values import EXTENSION, NOW, REGISTRY, SITE, operation, ran

READ = "repositories/team/app/content/read"
GATEWAY = "gateway/edge01/config/read"
SEEN = Observation(
    connected=Known((REGISTRY,)),
    scope_maps=Known((sync_scope_map("edge01"),)),
    tokens=Known((sync_token("edge01"),)),
    missing_at_acr=Known(()),
    cluster=Known(ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW)),
    extensions=Known((replace(EXTENSION, settings={"service.clusterIP": REGISTRY.login_server}),)),
    missing_at_cluster=Known(()),
    locks_at_acr=Known(()),
    locks_at_cluster=Known(()),
    kubernetes_version=Known("v1.33.4"),
    missing_rights=Known(()),
    namespace_phase=Known("Active"),
    workloads=Known(()),
    own_workloads=Known(()),
    missing_workload_rights=Known(()),
)
WORLD = rollback.Observation(
    removal=SEEN,
    missing_at_acr=Known(()),
    missing_at_cluster=Known(()),
    workload=Known(None),
    missing_workload_rights=Known(()),
)
EVERYTHING = tuple(
    PlannedStep(kind, {"name": "edge01"}, "create")
    for kind in ("scope_map.put", "sync_token.put", "connected.create", "extension.install")
)


def stopped(
    *steps: PlannedStep, last: str = "complete", remains: bool | None = None, output: object = None
) -> Operation:
    """An operation that has run these steps, of which the last one is in this state."""
    runs = [StepRun(index, "complete", NOW, NOW) for index in range(len(steps))]
    state: Any = last
    runs[-1] = replace(runs[-1], state=state, output=output)
    plan = Plan(steps, (), {}, "0" * 16, NOW)
    return operation(state="failed", plan=plan, steps=tuple(runs), outcome=Outcome(remains=remains))


def planned(
    *steps: PlannedStep, seen: Observation = SEEN, **options: Any
) -> tuple[list[tuple[str, object]], list[str]]:
    """Steps with what they are about, and codes of what people should know."""
    request = ROLLBACK.request(SITE, "edge01", RollbackOptions("op-1", steps, **options))
    plan = ROLLBACK.make_plan(SITE, request, replace(WORLD, removal=seen), NOW)
    codes = [finding.code for finding in plan.findings if finding.level != "ok"]
    return [(step.kind, step.params.get("actions", step.params.get("name"))) for step in plan.steps], codes


def test_a_deployment_s_steps_say_what_it_has_made() -> None:
    changes = changes_of(operation(state="failed", steps=ran(8)))

    assert [step.kind for step in changes.steps] == [step.kind for step in EVERYTHING]
    assert (changes.reasons, changes.uncertain) == ((Reason.SHARED,), ())


def test_what_was_there_already_and_what_nobody_could_look_at_is_not_its_own() -> None:
    reused = PlannedStep("scope_map.put", {"name": "edge01", "actions": ()}, "reuse")
    image = PlannedStep("acr.import", {"image": "hello-world:v1"}, "create")
    token = PlannedStep("sync_token.put", {"name": "edge01"}, "create")

    with pytest.raises(Invalid):
        changes_of(stopped(reused, image, output=ImageKept("hello-world:v1")))
    assert changes_of(stopped(token, token, last="error")).uncertain == ("sync token edge01",)
    assert changes_of(stopped(reused, token, last="error", remains=True)).steps == (token,)
    with pytest.raises(Invalid):
        changes_of(stopped(reused, token, last="error", remains=False))


def test_an_extension_that_goes_alone_leaves_a_password_and_the_line_that_ends_it() -> None:
    token = replace(sync_token("edge01"), passwords=(PasswordSlot("password2", NOW),))
    seen = replace(SEEN, tokens=Known((token,)))
    install = PlannedStep("extension.install", {"name": "edge01", "token": "edge01", "slot": "password2"}, "create")

    assert Reason.SYNC_PASSWORD_LEFT in planned(install, seen=seen)[1]
    assert Reason.SYNC_PASSWORD_LEFT not in planned(*EVERYTHING[:-1], install, seen=seen)[1]


def test_everything_goes_from_the_edge_to_the_cloud_and_what_works_by_now_is_named() -> None:
    steps, codes = planned(*EVERYTHING, reasons=("shared",), uncertain=("scope map edge01",))

    assert [kind for kind, _ in steps] == [
        "extension.remove",
        "namespace.gone",
        "connected.remove",
        "token.remove",
        "scope_map.remove",
    ]
    assert codes == [Reason.SHARED, Code.UNCERTAIN, Code.IN_USE]


def test_what_it_has_not_made_stays() -> None:
    installed, created = EVERYTHING[3], replace(EVERYTHING[2], params={"name": "edge02"})

    assert [kind for kind, _ in planned(installed)[0]] == ["extension.remove", "namespace.gone"]
    assert planned(created)[0] == []


def test_rights_are_given_back_unless_another_one_may_sync_by_them_now() -> None:
    plant = sync_scope_map("plant")
    above = replace(plant, actions=(*plant.actions, READ, GATEWAY))
    seen = replace(SEEN, scope_maps=Known((above, sync_scope_map("edge01"))))
    granted = PlannedStep("permissions.grant", {"name": "plant", "actions": (READ, GATEWAY)}, "change")
    revoked = PlannedStep("permissions.revoke", {"name": "edge01", "actions": (READ,)}, "change")
    gone = replace(revoked, params={"name": "gone", "actions": (READ,)})
    nested = replace(seen, connected=Known((REGISTRY, replace(REGISTRY, name="line1", parent="plant"))))

    back = [("scope_map.widen", (READ,)), ("scope_map.narrow", (READ, GATEWAY))]
    assert planned(granted, revoked, gone, seen=seen) == (back, [])
    assert planned(granted, seen=nested) == ([("scope_map.narrow", (GATEWAY,))], [Reason.RIGHTS_KEPT])


def test_a_scope_map_that_was_there_gets_its_former_actions_where_they_were_recorded() -> None:
    changed = PlannedStep("scope_map.put", {"name": "edge01", "actions": (READ,)}, "change")
    seen = replace(SEEN, scope_maps=Known((replace(sync_scope_map("edge01"), actions=(READ,)),)))
    recorded = replace(changed, details={"before": (GATEWAY,)})

    assert planned(changed, seen=seen) == ([], [Reason.FORMER_UNKNOWN])
    assert planned(recorded, seen=seen)[0] == [("scope_map.narrow", (READ,)), ("scope_map.widen", (GATEWAY,))]


def test_one_with_others_below_it_is_not_taken_back() -> None:
    nested = replace(REGISTRY, name="line1", parent="edge01")
    codes = planned(*EVERYTHING, seen=replace(SEEN, connected=Known((REGISTRY, nested))))[1]

    assert RemovalCode.CHILDREN in codes


# --- changes ----------------------------------------------------------------------------------------------------------


def test_settings_come_back_but_for_those_that_somebody_has_changed_since() -> None:
    changes = {
        "log_level": ("Warning", "Information"),
        "schedule": ("* * * * *", "0 1 * * *"),
        "window": (None, REGISTRY.window),
        "gc_enabled": (True, False),
    }
    step = PlannedStep("connected.update", {"name": "edge01", "changes": changes}, "change")
    request = ROLLBACK.request(SITE, "edge01", RollbackOptions("op-1", (step,)))
    plan = ROLLBACK.make_plan(SITE, request, WORLD, NOW)

    assert plan.steps[0].params["changes"] == {"log_level": ("Information", "Warning")}
    parts = {finding.code: finding.facts["parts"] for finding in plan.findings if finding.level == "warning"}
    assert parts == {Reason.CHANGED_SINCE: ("schedule",), Reason.NO_FORMER_VALUE: ("window",)}


def test_only_client_tokens_that_it_has_listed_itself_go_from_the_list() -> None:
    params = {"name": "edge01", "add": ("pull1", "pull2"), "remove": ("pull3",), "before": ("pull2", "pull3")}
    step = PlannedStep("connected.client_tokens", {**params, "after": ("pull1", "pull2")}, "change")
    listing = replace(REGISTRY, client_token_ids=("/acr/tokens/pull1", "/acr/tokens/pull2"))
    seen = replace(SEEN, connected=Known((listing,)), tokens=Known((sync_token("pull3"),)))
    request = ROLLBACK.request(SITE, "edge01", RollbackOptions("op-1", (step,)))
    [change, proof] = ROLLBACK.make_plan(SITE, request, replace(WORLD, removal=seen), NOW).steps

    assert (change.params["add"], change.params["remove"]) == (("pull3",), ("pull1",))
    assert (proof.kind, proof.params["add"]) == ("connected.updated", ("pull3",))
    gone = ROLLBACK.make_plan(SITE, request, replace(WORLD, removal=replace(seen, tokens=Known(()))), NOW)
    assert gone.steps[0].params["add"] == ()


def test_an_extension_that_failed_gets_every_former_value_again() -> None:
    release = {"version": ("0.10.0", "0.11.0"), "auto_upgrade": (True, False)}
    params = {"name": "edge01", "settings": {"httpEnabled": ("false", "true")}, "release": release}
    step = PlannedStep("extension.update", {**params, "tls_secret": "", "token": "", "slot": ""}, "change")
    failed = replace(EXTENSION, provisioning_state="Failed", auto_upgrade=False, settings={"httpEnabled": "true"})
    request = ROLLBACK.request(SITE, "edge01", RollbackOptions("op-1", (step,)))
    world = replace(WORLD, removal=replace(SEEN, extensions=Known((failed,))))
    plan = ROLLBACK.make_plan(SITE, request, world, NOW)

    assert plan.steps[0].params["settings"] == {"httpEnabled": ("true", "false")}
    assert plan.steps[0].params["release"] == {"auto_upgrade": (False, True)}
    assert Reason.VERSION in {finding.code for finding in plan.findings}


def test_a_certificate_that_was_a_secret_does_not_come_back() -> None:
    params = {"name": "edge01", "settings": {}, "release": {}, "tls_secret": "other", "token": "edge01", "slot": "x"}
    step = PlannedStep("extension.update", params, "change")
    own = {"settings": {"cert-manager.enabled": ("true", "false")}, "parent_protocol": "http"}
    from_cert_manager = replace(step, params={**params, **own})
    changed = replace(EXTENSION, settings={"cert-manager.enabled": "false"})
    world = replace(WORLD, removal=replace(SEEN, extensions=Known((changed,))))
    request = ROLLBACK.request(SITE, "edge01", RollbackOptions("op-1", (from_cert_manager,)))

    assert ROLLBACK.make_plan(SITE, request, world, NOW).steps[0].params["parent_protocol"] == "http"
    assert planned(step) == ([], [Reason.CERTIFICATE])
    assert planned(from_cert_manager, seen=replace(SEEN, extensions=Known((changed,))))[0] == [
        ("extension.update", "edge01"),
        ("extension.available", "edge01"),
    ]


# --- workloads --------------------------------------------------------------------------------------------------------

TILL = Place("shop", "till")
AT = {"namespace": TILL.namespace, "workload": TILL.name}
SPEC = WorkloadSpec("shop", "till", "edge01", "10.112.0.2/team/app:v2", 2, None, TILL.pull_secrets[1])
NEW = {"image": SPEC.image, "replicas": SPEC.replicas, "port": SPEC.port}
OLD = {"image": "10.112.0.2/team/app:v1", "replicas": 1, "port": 80, "pull_secret": TILL.pull_secrets[0]}
PUT = PlannedStep("workload.put", {**AT, **NEW, "pull_secret": ""}, "change", {"before": OLD})
SECRET = PlannedStep("pull_secret.put", {**AT, "server": "10.112.0.2", "token": "edge01-till"}, "create")


def of_workload(spec: WorkloadSpec | None, *steps: PlannedStep) -> tuple[list[tuple[str, object]], list[str]]:
    """Steps with the pull secret that they are about."""
    request = ROLLBACK.request(SITE, "edge01", RollbackOptions("op-1", steps))
    deployed = DeployedWorkload(spec, "uid", managed=True, pods=()) if spec else None
    plan = ROLLBACK.make_plan(SITE, request, replace(WORLD, workload=Known(deployed)), NOW)
    codes = [finding.code for finding in plan.findings if finding.level != "ok"]
    return [(step.kind, step.params.get("pull_secret") or step.params.get("secret")) for step in plan.steps], codes


def test_a_workload_that_was_there_pulls_as_before_and_its_new_secret_goes() -> None:
    assert of_workload(SPEC, SECRET, PUT) == (
        [("workload.put", TILL.pull_secrets[0]), ("client_password.end", TILL.pull_secrets[1])],
        [],
    )
    # It was stopped before the workload was changed.
    assert of_workload(replace(SPEC, pull_secret=TILL.pull_secrets[0]), SECRET)[0] == [
        ("client_password.end", TILL.pull_secrets[1])
    ]


def test_a_workload_that_somebody_has_changed_since_stays_with_its_secret() -> None:
    assert of_workload(replace(SPEC, replicas=5), SECRET, PUT) == ([], [Reason.CHANGED_SINCE])
    assert of_workload(SPEC, replace(PUT, details={})) == ([], [Reason.FORMER_UNKNOWN])


def test_a_workload_that_it_made_goes_and_a_password_of_a_token_that_was_there_is_named() -> None:
    made = replace(PUT, effect="create", details={})

    assert of_workload(SPEC, SECRET, made)[0] == [("workload.delete", None), ("pull_secret.delete", None)]
    assert of_workload(None, SECRET, made)[0] == [("pull_secret.delete", None)]


def test_a_rotation_goes_back_to_the_old_password_only_while_that_is_valid() -> None:
    old, new = TILL.pull_secrets
    renew = PlannedStep("pull_secret.renew", {**AT, "token": "edge01-till", "secret": new}, "create")
    switch = PlannedStep("workload.switch", {**AT, **NEW, "pull_secret": "", "secret": new}, "change")
    end = PlannedStep("client_password.end", {**AT, "token": "edge01-till", "secret": old}, "delete")

    assert of_workload(SPEC, renew, switch)[0] == [
        ("workload.put", old),
        ("workload.rolled_out", None),
        ("client_password.end", new),
    ]
    assert changes_of(stopped(renew, switch, last="running")).steps == (renew, switch)
    with pytest.raises(Invalid):
        changes_of(stopped(renew, switch, end, last="error"))


# --- the table --------------------------------------------------------------------------------------------------------

HARMLESS = {
    "acr.ready",
    "child.gate",
    "client_password.accepted",
    "client_token.synced",
    "cluster.verify",
    "connected.inactive",
    "connected.online",
    "connected.resynced",
    "connected.synced",
    "connected.updated",
    "extension.available",
    "images.arrived",
    "namespace.gone",
    "permissions.synced",
    "reader_scope_map.put",
    "reader_secret.put",
    "reader_token.link",
    "reader_token.put",
    "scope_map.widen",
    "service_ip.hold",
    "service_ip.reserve",
    "token.contact",
    "token.still_in_contact",
    "workload.pulled",
    "workload.rolled_out",
}
"""Steps that only look, and what ends with the operation: addresses, and a token by which it reads."""


def test_every_step_of_every_kind_has_an_inverse_or_a_reason_why_it_has_none() -> None:
    steps = {step.kind for kind in PROCEDURES.kinds for step in PROCEDURES[kind].steps} | {
        step.kind for step in children.STEPS
    }

    assert steps - INVERSES.keys() == HARMLESS
    assert INVERSES.keys() <= steps
    assert REASONS.keys() == set(Reason)
