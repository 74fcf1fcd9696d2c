"""What an update's plan and its checks say of client tokens."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.views.procedures import words_of
from services.model.azure import Token
from services.model.errors import NoAccess, Unreachable
from services.model.plan import Plan
from services.operations.answers import Known, NotAsked, Unknown
from services.operations.checks import UNASKED, UNPROVEN
from services.operations.update.checks import Observation
from services.operations.update.procedure import SETTINGS
from services.operations.update.request import Code, UpdateOptions, UpdateRequest
from tests.golden.values import NOW, REGISTRY, SITE


def token(name: str, **changes: Any) -> Token:
    return replace(Token(f"/acr/tokens/{name}", name, "/acr/scopeMaps/pull", enabled=True), **changes)


FULL = tuple(f"/acr/tokens/client{number}" for number in range(50))
WORLD = Observation(
    connected=Known((replace(REGISTRY, client_token_ids=("/acr/tokens/till",)),)),
    missing_actions=Known(()),
    tokens=Known((token("till"), token("scanner"), token("cash", enabled=False))),
    own_workloads=Known(()),
)


def planned(*, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), **answers: Any) -> Plan:
    """The plan of a change of client tokens, in a world with these answers."""
    request = UpdateRequest("edge01", UpdateOptions(add_client_tokens=add, remove_client_tokens=remove))
    return SETTINGS.make_plan(SITE, request, replace(WORLD, **answers), NOW)


def codes(*, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), **answers: Any) -> dict[str, str]:
    """By check what it says, where that is about client tokens."""
    findings = planned(add=add, remove=remove, **answers).findings
    return {finding.check: finding.code for finding in findings if finding.check.startswith("client_tokens.")}


def test_of_a_long_list_the_plan_names_only_the_tokens_that_come_and_go() -> None:
    step, _ = planned(remove=("client7",), connected=Known((replace(REGISTRY, client_token_ids=FULL),))).steps

    words = words_of("update").steps[step.kind]
    assert words.details_of(step.params) == "remove client7: 50 → 49 client tokens"


@pytest.mark.parametrize(
    ("remove", "refusal"), [((), {"client_tokens.room": Code.CLIENT_TOKENS_TOO_MANY}), (("client7",), {})]
)
def test_a_connected_registry_takes_fifty_clients_and_one_that_goes_makes_room(
    remove: tuple[str, ...], refusal: dict[str, str]
) -> None:
    verdicts = codes(add=("scanner",), remove=remove, connected=Known((replace(REGISTRY, client_token_ids=FULL),)))

    assert {check: code for check, code in verdicts.items() if check == "client_tokens.room"} == refusal


@pytest.mark.parametrize(
    ("add", "remove", "code"),
    [
        (("Scanner",), (), Code.CLIENT_TOKENS_EXIST),
        (("scaner",), (), Code.CLIENT_TOKENS_ABSENT),
        ((), ("til",), Code.CLIENT_TOKENS_ABSENT),
        (("cash",), (), Code.CLIENT_TOKENS_DISABLED),
        ((), ("cash",), Code.CLIENT_TOKENS_EXIST),
    ],
)
def test_a_token_has_to_exist_and_to_be_enabled_where_it_is_added(
    add: tuple[str, ...], remove: tuple[str, ...], code: Code
) -> None:
    assert codes(add=add, remove=remove)["client_tokens.exist"] == code


def test_a_token_that_is_deleted_can_be_taken_from_the_list() -> None:
    assert codes(remove=("till",), tokens=Known(()))["client_tokens.exist"] == Code.CLIENT_TOKENS_EXIST


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Unknown(Unreachable("kubernetes", "hamburg")), UNASKED),
        (NotAsked(NoAccess("kubernetes", "hamburg")), UNPROVEN),
        (Known(()), Code.NO_WORKLOAD_LOSES),
    ],
)
def test_only_a_cluster_that_answers_has_no_workload_that_loses_its_token(answer: Any, code: str) -> None:
    assert codes(remove=("till",), own_workloads=answer)["client_tokens.workloads"] == code
