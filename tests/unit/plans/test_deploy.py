"""What a deployment plans: what exists and fits is kept, nothing is overwritten silently, and the digest says it all."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.azure import ConnectedRegistry, Extension, ScopeMap, Token
from services.model.kubernetes import Runtime
from services.model.plan import Plan, PlannedStep
from services.operations.answers import Known
from services.operations.deploy.observation import Observation
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions, deploy_request
from services.operations.digest import covers, digest, essence
from services.policy.sites import sync_actions
from tests.golden.values import EXTENSION, NOW, REGISTRY, SEEN, SITE

OWN_MAP = ScopeMap("/acr/scopeMaps/edge01", "edge01", sync_actions("edge01", "ReadOnly", ("hello-world", "team/app")))
OWN_TOKEN = Token("/acr/tokens/edge01", "edge01", "/acr/scopeMaps/edge01", True)
OWN_REGISTRY = replace(REGISTRY, schedule="* * * * *", window=None, login_server="10.112.0.7")
OWN_EXTENSION = replace(
    EXTENSION,
    settings={"service.clusterIP": "10.112.0.7", "pvc.storageRequest": "250Gi", "cert-manager.install": "false"},
)
WHOLE = replace(
    SEEN,
    scope_map=Known(OWN_MAP),
    token=Known(OWN_TOKEN),
    connected=Known((OWN_REGISTRY,)),
    extensions=Known((OWN_EXTENSION,)),
)


def planned(seen: Observation, **options: Any) -> Plan:
    return DEPLOY.make_plan(SITE, deploy_request(SITE, "edge01", DeployOptions(**options)), seen, NOW)


def essences(plan: Plan) -> list[Any]:
    return [essence(DEPLOY.step, one) for one in plan.steps]


def step(plan: Plan, kind: str) -> PlannedStep:
    return next(one for one in plan.steps if one.kind == kind)


@st.composite
def worlds(draw: st.DrawFn) -> Observation:
    """What may be there already, the bot's own or somebody else's."""
    maps = st.sampled_from([None, OWN_MAP, replace(OWN_MAP, actions=("repositories/other/content/read",))])
    tokens = st.sampled_from([None, OWN_TOKEN, replace(OWN_TOKEN, scope_map_id="/acr/scopeMaps/other")])
    registries = st.sampled_from([(), (OWN_REGISTRY,), (replace(OWN_REGISTRY, mode="ReadWrite"),)])
    extensions: st.SearchStrategy[tuple[Extension, ...]] = st.sampled_from(
        [
            (),
            (OWN_EXTENSION,),
            (replace(OWN_EXTENSION, name="other", settings={"service.clusterIP": "10.112.0.9"}),),
            (replace(OWN_EXTENSION, type="microsoft.flux"),),
        ]
    )
    return replace(
        SEEN,
        scope_map=Known(draw(maps)),
        token=Known(draw(tokens)),
        connected=Known(draw(registries)),
        extensions=Known(draw(extensions)),
    )


@settings(deadline=None)
@given(worlds())
def test_what_is_there_and_does_not_fit_is_a_blocker_or_said_as_a_change(seen: Observation) -> None:
    plan = planned(seen)
    there = {"scope_map.put": seen.scope_map, "sync_token.put": seen.token}
    touched = {one.kind for one in plan.steps if one.effect == "create"} & {
        kind for kind, answer in there.items() if isinstance(answer, Known) and answer.value is not None
    }

    assert touched == set()
    assert plan.blockers or not _foreign(seen)


@settings(deadline=None)
@given(worlds())
def test_the_same_world_gives_the_same_digest(seen: Observation) -> None:
    assert planned(seen).digest == planned(seen).digest


@settings(deadline=None)
@given(worlds(), worlds())
def test_other_steps_or_facts_give_another_digest(one: Observation, other: Observation) -> None:
    first, second = planned(one), planned(other)
    same = essences(first) == essences(second) and first.observed == second.observed

    assert (first.digest == second.digest) == same


def test_everything_that_fits_is_kept() -> None:
    effects = {one.kind: one.effect for one in planned(WHOLE).steps}

    assert {kind for kind, effect in effects.items() if effect == "reuse"} == {
        *("scope_map.put", "sync_token.put", "connected.create", "extension.install")
    }
    assert "service_ip.hold" not in effects


def test_a_failed_extension_is_installed_again_at_its_address() -> None:
    plan = planned(replace(WHOLE, extensions=Known((replace(OWN_EXTENSION, provisioning_state="Failed"),))))

    assert step(plan, "extension.install").effect == "change"
    assert step(plan, "service_ip.hold").params["address"] == "10.112.0.7"


def test_an_extension_of_another_name_is_kept_under_its_own_and_shown_with_the_settings_that_it_has() -> None:
    foreign = replace(OWN_EXTENSION, name="cr-ext", settings={"service.clusterIP": "10.112.0.7"})
    install = step(planned(replace(WHOLE, extensions=Known((foreign,)))), "extension.install")

    assert (install.effect, install.params["name"], install.params["settings"]) == ("reuse", "cr-ext", {})


def test_a_failed_extension_is_not_asked_to_change_the_claim_that_it_left_to_its_defaults() -> None:
    failed = replace(OWN_EXTENSION, provisioning_state="Failed", settings={"service.clusterIP": "10.112.0.7"})
    world = replace(WHOLE, extensions=Known((failed,)), runtime=Known(Runtime(volume_phase="Bound")))

    assert step(planned(world), "extension.install").params["settings"] == {}


def test_cert_manager_that_an_extension_brought_along_stays_its_own() -> None:
    brought = replace(OWN_EXTENSION, provisioning_state="Failed", settings={"service.clusterIP": "10.112.0.7"})
    plan = planned(replace(WHOLE, extensions=Known((brought,))))

    assert "cert-manager.install" not in step(plan, "extension.install").params["settings"]  # type: ignore[operator]


def test_a_picked_address_is_not_part_of_the_digest_and_a_given_one_is() -> None:
    leased = replace(SEEN, leased=frozenset({"10.112.0.2"}))

    assert planned(leased).digest == planned(SEEN).digest
    assert planned(SEEN, service_ip="10.112.0.8").digest != planned(SEEN, service_ip="10.112.0.9").digest


def test_a_retry_is_covered_by_what_was_approved_and_more_is_not() -> None:
    approved = planned(SEEN)
    later = planned(replace(WHOLE, extensions=Known((replace(OWN_EXTENSION, provisioning_state="Failed"),))))

    assert covers(DEPLOY.step, approved.steps, later.steps)
    assert not covers(DEPLOY.step, later.steps[-3:], approved.steps)


def test_a_retry_fills_the_approved_password_slot_whichever_is_idle_by_then() -> None:
    used = replace(OWN_TOKEN, passwords=())
    install = step(planned(replace(SEEN, token=Known(used), scope_map=Known(OWN_MAP))), "extension.install")
    other = replace(install, params={**install.params, "slot": "password2"})

    assert covers(DEPLOY.step, (install,), (other,))
    assert digest(DEPLOY.step, (install,), {}) != digest(DEPLOY.step, (other,), {})


LINE1 = sync_actions("line1", "ReadOnly", ("drivers",))
BELOW = replace(OWN_REGISTRY, name="line1", token_id="/acr/tokens/line1", login_server="", parent="edge01")


@pytest.mark.parametrize(
    ("connected", "options", "stays"),
    [
        ((OWN_REGISTRY,), {}, True),
        ((OWN_REGISTRY,), {"repositories": ("hello-world", "team/app")}, False),
        ((OWN_REGISTRY, BELOW), {"repositories": ("hello-world", "team/app")}, True),
    ],
    ids=["nobody names repositories", "somebody names them", "another one is below it"],
)
def test_rights_that_others_have_added_go_only_where_somebody_names_the_repositories_and_nobody_is_below(
    connected: tuple[ConnectedRegistry, ...], options: dict[str, Any], stays: bool
) -> None:
    widened = replace(OWN_MAP, actions=tuple(sorted({*OWN_MAP.actions, *LINE1})))
    scope_map = step(
        planned(replace(WHOLE, scope_map=Known(widened), connected=Known(connected)), **options), "scope_map.put"
    )

    assert (scope_map.params["actions"] == widened.actions) == stays
    assert scope_map.effect == ("reuse" if stays else "change")


def _foreign(seen: Observation) -> bool:
    """Whether something of another one's, or that can't be changed, bears a name that is needed."""
    extensions = seen.extensions.value if isinstance(seen.extensions, Known) else ()
    token = seen.token.value if isinstance(seen.token, Known) else None
    connected = seen.connected.value if isinstance(seen.connected, Known) else ()
    return (
        any(one != OWN_EXTENSION for one in extensions)
        or (token is not None and token != OWN_TOKEN)
        or any(one.mode != "ReadOnly" for one in connected)
    )
