"""What is planned for a cloud registry and its subscription, and what stands in the way."""

from dataclasses import replace
from typing import Any

import pytest

from services.model.errors import Invalid, NoAccess
from services.operations.answers import Known, NotAsked
from services.operations.arrival_checks import ReaderPlace
from services.operations.arrival_codes import ArrivalCode
from services.operations.azure_checks import AzureCode
from services.operations.cloud_registry.observation import ACTIONS, DELETE, PROVIDER, Edge, Observation
from services.operations.cloud_registry.procedures import ACR_CREATION, ACR_DELETION, ACR_IMPORT, ACR_UPDATE
from services.operations.cloud_registry.request import AcrCreateOptions, AcrImportOptions, AcrOptions, Code
from services.operations.procedure import Procedure
from services.operations.providers import procedure as providers
from services.operations.providers.request import ProviderOptions
from services.policy.sites import CLIENTS_PER_REGISTRY, PROVIDERS, sync_actions
from tests.golden.values import ACR, NOW, REGISTRY, SITE

BASIC = replace(ACR, sku="Basic")
READY = replace(ACR, data_endpoint=True)
DIGEST = f"sha256:{'a' * 64}"
SEEN = Observation(
    registry=Known(ACR),
    connected=Known(()),
    name_refusal=Known(""),
    providers=Known({}),
    missing_actions=Known(()),
)
ABSENT = replace(SEEN, registry=Known(None), providers=Known({PROVIDER: "Registered"}), missing_actions=Known(None))
IMAGE = f"mcr.microsoft.com/hello-world:v1@{DIGEST}"


def planned(procedure: Procedure[Any, Any], observation: object, options: object = AcrOptions()) -> Any:
    """Steps and, by level, codes."""
    request = procedure.request(SITE, "contosoacr", options)
    plan = procedure.make_plan(SITE, request, observation, NOW)
    return [step.kind for step in plan.steps], [finding.code for finding in plan.findings if finding.level != "ok"]


def test_a_registry_gets_what_it_lacks_and_the_tier_comes_first() -> None:
    assert planned(ACR_UPDATE, replace(SEEN, registry=Known(BASIC))) == (
        ["acr.upgrade", "acr.data_endpoint", "acr.ready"],
        [Code.TIER_COSTS, Code.DATA_ENDPOINT_HOSTS],
    )
    assert planned(ACR_UPDATE, replace(SEEN, registry=Known(READY))) == ([], [])


@pytest.mark.parametrize(
    ("observation", "code"),
    [
        (ABSENT, Code.REGISTRY_ABSENT),
        (replace(SEEN, registry=Known(replace(ACR, provisioning_state="Updating"))), Code.REGISTRY_BUSY),
    ],
)
def test_one_that_is_not_there_or_is_being_changed_is_left_alone(observation: Observation, code: Code) -> None:
    assert planned(ACR_UPDATE, observation) == ([], [code])


def test_a_right_that_is_missing_is_named() -> None:
    lacking = replace(SEEN, missing_actions=Known(ACTIONS))

    assert planned(ACR_UPDATE, lacking)[1] == [Code.DATA_ENDPOINT_HOSTS, AzureCode.ACTIONS_MISSING]
    assert planned(ACR_DELETION, lacking)[1] == [Code.ALL_IS_LOST, Code.DELETION_NOT_ALLOWED]
    assert planned(ACR_UPDATE, replace(SEEN, missing_actions=Known((DELETE, ACTIONS[1]))))[1] == [
        Code.DATA_ENDPOINT_HOSTS
    ]


def test_one_is_created_only_under_a_free_name_and_with_its_resource_provider() -> None:
    options = AcrCreateOptions("West Europe")
    unregistered = replace(ABSENT, providers=Known({PROVIDER: "NotRegistered"}))

    assert planned(ACR_CREATION, ABSENT, options) == (["acr.create", "acr.ready"], [Code.REGISTRY_TO_CREATE])
    assert planned(ACR_CREATION, SEEN, options) == ([], [])
    assert planned(ACR_CREATION, replace(ABSENT, name_refusal=Known("taken")), options)[1] == [Code.REGISTRY_NAME_TAKEN]
    assert planned(ACR_CREATION, unregistered, options)[1] == [Code.REGISTRY_TO_CREATE, Code.PROVIDER_MISSING]


def test_images_come_by_digest_under_a_tag_and_never_over_another_content() -> None:
    options = AcrImportOptions((IMAGE,), "team/app", f"{SITE.acr_ref.id}")
    plan = ACR_IMPORT.make_plan(SITE, ACR_IMPORT.request(SITE, "contosoacr", options), SEEN, NOW)
    other = replace(SEEN, digests={"hello-world:v1": Known("sha256:other")})

    assert dict(plan.steps[0].params) == {
        "source": f"hello-world@{DIGEST}",
        "image": "team/app:v1",
        "digest": DIGEST,
        "source_registry": SITE.acr_ref.id,
    }
    assert planned(ACR_IMPORT, other, AcrImportOptions((IMAGE,)))[1] == [Code.IMAGE_OTHER]
    assert (
        planned(ACR_IMPORT, replace(other, digests={"hello-world:v1": Known(DIGEST)}), AcrImportOptions((IMAGE,)))[1]
        == []
    )


@pytest.mark.parametrize(
    ("procedure", "options", "rule"),
    [
        (ACR_CREATION, AcrCreateOptions(), "location.none"),
        (ACR_CREATION, AcrCreateOptions("1"), "site_file.rule"),
        (ACR_IMPORT, AcrImportOptions(("hello-world",)), "site_file.rule"),
        (ACR_IMPORT, AcrImportOptions((IMAGE,), "UPPER"), "repository.pattern"),
        (ACR_IMPORT, AcrImportOptions((IMAGE,), "", "contosolab"), "source_registry.pattern"),
        (ACR_IMPORT, AcrImportOptions((IMAGE, "mcr.microsoft.com/other:v1"), "team/app"), "image.twice"),
        (providers.PROVIDER_REGISTRATION, ProviderOptions(("Microsoft.Foo",)), "namespace.unknown"),
    ],
)
def test_what_can_t_be_done_is_refused_before_anything_is_asked(
    procedure: Procedure[Any, Any], options: object, rule: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        procedure.request(SITE, "contosoacr", options)

    assert refusal.value.rule == rule


def test_a_registry_with_connected_registries_is_not_deleted() -> None:
    assert planned(ACR_DELETION, replace(SEEN, connected=Known((REGISTRY,))))[1] == [Code.STILL_CONNECTED]
    assert planned(ACR_DELETION, SEEN) == (["acr.delete"], [Code.ALL_IS_LOST])
    assert planned(ACR_DELETION, ABSENT) == ([], [])


def test_only_resource_providers_that_are_missing_are_registered() -> None:
    states = dict.fromkeys(PROVIDERS, "Registered") | {PROVIDERS[0]: "Registering"}
    procedure = providers.PROVIDER_REGISTRATION
    request = procedure.request(SITE, SITE.name, ProviderOptions())
    steps = procedure.make_plan(SITE, request, providers.Observation(Known(states)), NOW).steps

    assert [step.params["namespaces"] for step in steps] == [(PROVIDERS[0],)]
    assert planned(procedure, providers.Observation(Known({})), ProviderOptions((PROVIDERS[1].lower(),))) == ([], [])


CLIENTS = tuple(f"/acr/tokens/till{number}" for number in range(CLIENTS_PER_REGISTRY))
EDGE = Edge(REGISTRY, sync_actions("edge01", "ReadOnly", ("hello-world",)))
WAITING = replace(SEEN, edge=Known(EDGE), reader_place=Known(ReaderPlace("Active", ())))


@pytest.mark.parametrize(
    ("observation", "code"),
    [
        (replace(WAITING, edge=Known(None)), ArrivalCode.WAIT_NO_EDGE),
        (replace(WAITING, edge=Known(Edge(REGISTRY, ()))), ArrivalCode.WAIT_NOT_SYNCED),
        (
            replace(WAITING, edge=Known(replace(EDGE, registry=replace(REGISTRY, activation="Inactive")))),
            ArrivalCode.WAIT_NO_EDGE,
        ),
        (
            replace(WAITING, edge=Known(replace(EDGE, registry=replace(REGISTRY, client_token_ids=CLIENTS)))),
            ArrivalCode.WAIT_CLIENTS_FULL,
        ),
        (replace(WAITING, reader_place=Known(ReaderPlace("", ()))), ArrivalCode.WAIT_NO_NAMESPACE),
        (
            replace(WAITING, reader_place=Known(ReaderPlace("Active", ("create jobs.batch in default",)))),
            ArrivalCode.WAIT_RIGHTS_MISSING,
        ),
        (replace(WAITING, reader_place=NotAsked(NoAccess("kubernetes", "oslo"))), ArrivalCode.WAIT_NO_ACCESS),
    ],
)
def test_images_are_waited_for_only_where_the_edge_gets_them_and_can_be_asked(
    observation: Observation, code: ArrivalCode
) -> None:
    options = AcrImportOptions(("mcr.microsoft.com/hello-world:v1",), wait_for_images=True)

    assert planned(ACR_IMPORT, observation, options)[1] == [code]


def test_a_connected_registry_without_a_sync_token_is_asked_all_the_same() -> None:
    options = AcrImportOptions(("mcr.microsoft.com/hello-world:v1",), wait_for_images=True)
    kinds, problems = planned(ACR_IMPORT, replace(WAITING, edge=Known(Edge(REGISTRY, None))), options)

    assert problems == []
    assert kinds[-2:] == ["acr.import", "images.arrived"]
    assert ACR_IMPORT.locks_of_options(SITE, options) == (SITE.cluster_ref.id.lower(),)
