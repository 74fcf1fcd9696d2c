"""What a rollback knows of an operation, and what of it goes."""

from dataclasses import replace
from typing import Any

import pytest

from services.model.azure import ArcCluster
from services.model.errors import Invalid
from services.model.operation import Operation, Outcome, StepRun
from services.model.plan import Plan, PlannedStep
from services.operations.answers import Known
from services.operations.outputs import ImageKept
from services.operations.remove.observation import Observation
from services.operations.remove.request import Code, RollbackOptions
from services.operations.remove.rollback import ROLLBACK, creations_of
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
    kubernetes_version=Known("v1.33.4"),
    missing_rights=Known(()),
    namespace_phase=Known("Active"),
    workloads=Known(()),
    own_workloads=Known(()),
    missing_workload_rights=Known(()),
)
EVERYTHING = {
    "extension.install": "edge01",
    "connected.create": "edge01",
    "sync_token.put": "edge01",
    "scope_map.put": "edge01",
}


def stopped(
    *steps: PlannedStep, last: str = "complete", remains: bool | None = None, output: object = None
) -> Operation:
    """An operation that has run these steps, of which the last one is in this state."""
    runs = [StepRun(index, "complete", NOW, NOW) for index in range(len(steps))]
    state: Any = last
    runs[-1] = replace(runs[-1], state=state, output=output)
    plan = Plan(steps, (), {}, "0" * 16, NOW)
    return operation(state="failed", plan=plan, steps=tuple(runs), outcome=Outcome(remains=remains))


def planned(options: RollbackOptions, observation: Observation = SEEN) -> tuple[list[str], list[str]]:
    """Steps, and codes of what people should know."""
    plan = ROLLBACK.make_plan(SITE, ROLLBACK.request(SITE, "edge01", options), observation, NOW)
    return [step.kind for step in plan.steps], [finding.code for finding in plan.findings if finding.level != "ok"]


def test_a_deployment_s_steps_say_what_it_has_made() -> None:
    creations = creations_of(operation(state="failed", steps=ran(8)))

    assert (creations.created, creations.leaves_shared, creations.uncertain) == (EVERYTHING, True, ())


def test_what_was_there_already_and_what_nobody_could_look_at_is_not_its_own() -> None:
    reused = PlannedStep("scope_map.put", {"name": "edge01", "actions": ()}, "reuse")
    image = PlannedStep("acr.import", {"image": "hello-world:v1"}, "create")
    token = PlannedStep("sync_token.put", {"name": "edge01"}, "create")

    with pytest.raises(Invalid):
        creations_of(stopped(reused, image, output=ImageKept("hello-world:v1")))
    assert creations_of(stopped(token, token, last="error")).uncertain == ("sync token edge01",)
    assert creations_of(stopped(reused, token, last="error", remains=True)).created == {"sync_token.put": "edge01"}


def test_rights_that_it_moved_are_known_with_their_scope_maps() -> None:
    granted = PlannedStep("permissions.grant", {"name": "plant", "actions": (READ,)}, "change")
    taken = PlannedStep("permissions.revoke", {"name": "edge01", "actions": [READ]}, "change")
    creations = creations_of(stopped(granted, taken))

    assert (creations.granted, creations.revoked) == ({"plant": (READ,)}, {"edge01": (READ,)})


def test_everything_goes_from_the_edge_to_the_cloud_and_what_works_by_now_is_named() -> None:
    assert planned(RollbackOptions("op-1", EVERYTHING, leaves_shared=True, uncertain=("scope map edge01",))) == (
        ["extension.remove", "namespace.gone", "connected.remove", "token.remove", "scope_map.remove"],
        [Code.STAYS, Code.UNCERTAIN, Code.IN_USE],
    )


def test_what_it_has_not_made_stays() -> None:
    assert planned(RollbackOptions("op-1", {"extension.install": "edge01"}))[0] == [
        "extension.remove",
        "namespace.gone",
    ]
    assert planned(RollbackOptions("op-1", {"connected.create": "edge02"}))[0] == []


def test_rights_are_given_back_unless_another_one_may_sync_by_them_now() -> None:
    plant = sync_scope_map("plant")
    above = replace(plant, actions=(*plant.actions, READ, GATEWAY))
    seen = replace(SEEN, scope_maps=Known((above, sync_scope_map("edge01"))))
    options = RollbackOptions("op-1", granted={"plant": (READ, GATEWAY)}, revoked={"edge01": (READ,), "gone": (READ,)})
    nested = replace(REGISTRY, name="line1", parent="plant")

    assert planned(options, seen) == (["scope_map.narrow", "scope_map.widen"], [])
    plan = ROLLBACK.make_plan(
        SITE,
        ROLLBACK.request(SITE, "edge01", options),
        replace(seen, connected=Known((REGISTRY, nested))),
        NOW,
    )
    assert plan.steps[0].params["actions"] == (GATEWAY,)
    assert Code.RIGHTS_KEPT in {finding.code for finding in plan.findings}


def test_one_with_others_below_it_is_not_taken_back() -> None:
    nested = replace(REGISTRY, name="line1", parent="edge01")
    codes = planned(RollbackOptions("op-1", EVERYTHING), replace(SEEN, connected=Known((REGISTRY, nested))))[1]

    assert Code.CHILDREN in codes
