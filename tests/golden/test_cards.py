"""The exact messages that people see, one file each; `make golden` writes them anew."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from handlers.views import checks as check_views
from handlers.views import connected as connected_views
from handlers.views import operation as views
from services.model.errors import Unreachable
from services.operations.deploy.checks import run
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import deploy_request
from services.operations.rollback.plan import recorded
from services.policy.placement import Placement
from tests.golden.conftest import CARDS, Golden
from tests.golden.kinds import KINDS
from tests.golden.values import BLOCKED, EXTENSION, NOW, REGISTRY, SEEN, SITE, STATES

UNREACHABLE = Unreachable("azure", "contosolab", "DeadlineExceeded", "no answer in 20 s")
SITES: Mapping[str, Observation] = {"ready": SEEN, "blocked": BLOCKED}


def file_name(kind: str) -> str:
    return kind.replace(",", "").replace(" ", "-")


@pytest.mark.parametrize("state", STATES)
def test_a_card_shows_its_operation_with_a_plan_block(golden: Golden, state: str) -> None:
    golden(f"card-{state}", views.card(STATES[state]))


@pytest.mark.parametrize("state", STATES)
def test_a_card_shows_its_operation_in_lines_where_plan_blocks_are_refused(golden: Golden, state: str) -> None:
    golden(f"card-{state}-lines", views.card(STATES[state], plan_blocks=False))


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_of_each_further_kind_shows_what_is_to_be_approved(golden: Golden, kind: str) -> None:
    golden(f"kind-{file_name(kind)}", views.card(KINDS[kind]))


@pytest.mark.parametrize("state", ["waiting-half-approved", "succeeded", "failed", "rejected"])
def test_details_show_everything_about_an_operation(golden: Golden, state: str) -> None:
    golden(f"details-{state}", views.details(STATES[state], recorded(STATES[state]), script=True))


def test_operations_are_listed(golden: Golden) -> None:
    golden("operations", views.listing(tuple(STATES.values()), 2, turns="operation list", more=True))


def test_no_operations_are_listed_as_a_sentence(golden: Golden) -> None:
    golden("operations-none", views.listing((), 1, turns="operation list", more=False))


@pytest.mark.parametrize("seen", SITES)
def test_a_check_is_reported(golden: Golden, seen: str) -> None:
    found = run(SITE, deploy_request(SITE, "edge01"), SITES[seen])
    golden(f"check-{seen}", check_views.report("deploy", SITE, "edge01", found))


def test_connected_registries_are_listed(golden: Golden) -> None:
    offline = replace(REGISTRY, name="edge02", connection_state="Offline", last_sync=None, parent="edge01")
    at_site, unknown = Placement(extensions=((SITE, EXTENSION),)), Placement(unasked=((SITE, UNREACHABLE),))
    rows = (
        connected_views.row(SITE.acr_ref, REGISTRY, at_site, NOW),
        connected_views.row(SITE.acr_ref, offline, unknown, NOW),
    )
    fleet = connected_views.Fleet(rows, (("contosolab", UNREACHABLE),), (SITE.name,), hidden=2)
    golden("registries", connected_views.listing(fleet, connected_views.Selection(rows, 1, "list"), NOW))


def test_one_connected_registry_is_shown(golden: Golden) -> None:
    detail = connected_views.Detail(SITE.acr_ref, REGISTRY, Placement(extensions=((SITE, EXTENSION),)))
    golden("registry", connected_views.card(detail, NOW))


def test_no_file_is_left_of_a_message_that_is_gone() -> None:
    cards = {f"card-{state}{form}" for state in STATES for form in ("", "-lines")}
    others = {file.stem for file in CARDS.glob("*.json")} - cards

    assert others == {
        *(f"kind-{file_name(kind)}" for kind in KINDS),
        *("check-blocked", "check-ready", "operations", "operations-none", "registries", "registry"),
        *("details-failed", "details-rejected", "details-succeeded", "details-waiting-half-approved"),
    }
