"""What belongs to a connected registry that is to go: known by what it is, never by its name alone."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from services.model.azure import ConnectedRegistry, Extension, ScopeMap, Token
from services.operations.belongings import Belongings, belongings, own_extension, ownership
from services.policy.sites import EXTENSION_TYPE, sync_actions
from tests.golden.values import REGISTRY

ADDRESS = "10.96.0.2"
EDGE01 = replace(REGISTRY, name="edge01", token_id="/acr/tokens/edge01", login_server=ADDRESS, parent="")
EDGE02 = replace(EDGE01, name="edge02", token_id="/acr/tokens/edge02", login_server="")


def extension(name: str = "edge01", **settings: str) -> Extension:
    return Extension(f"/arc/{name}", name, EXTENSION_TYPE, "Succeeded", {"service.clusterIP": ADDRESS} | settings)


def sync_map(name: str, *below: str) -> ScopeMap:
    actions = {action for one in (name, *below) for action in sync_actions(one, "ReadOnly", ("hello-world",))}
    return ScopeMap(f"/acr/scopeMaps/{name}", name, tuple(sorted(actions)))


def token(name: str, scope_map: str = "") -> Token:
    return Token(f"/acr/tokens/{name}", name, f"/acr/scopeMaps/{scope_map or name}", enabled=True)


def client_map(name: str, *, system_defined: bool = False) -> ScopeMap:
    actions = ("repositories/hello-world/content/read",)
    return ScopeMap(f"/acr/scopeMaps/{name}", name, actions, system_defined=system_defined)


def of_edge01(
    registries: tuple[ConnectedRegistry, ...],
    scope_maps: tuple[ScopeMap, ...],
    tokens: tuple[Token, ...],
    *,
    keep_client_tokens: bool = False,
) -> Belongings:
    return belongings("edge01", registries, scope_maps, tokens, keep_client_tokens=keep_client_tokens)


def at(*addresses: str) -> tuple[ConnectedRegistry, ...]:
    """Connected registries edge01, edge02, …, whose runtimes have these addresses."""
    return tuple(
        replace(EDGE01, name=f"edge{number:02}", login_server=address) for number, address in enumerate(addresses, 1)
    )


@pytest.mark.parametrize(
    ("named", "addresses", "verdict"),
    [
        ("edge01", (ADDRESS,), "own"),
        ("edge01", ("10.96.0.77",), "unclear"),
        ("edge01", ("",), "own"),
        ("edge01", (), "own"),
        ("edge01", (ADDRESS, ADDRESS), "own"),
        ("edge01", ("", ADDRESS), "unclear"),
        ("plant", (ADDRESS,), "own"),
        ("plant", (ADDRESS, ADDRESS), "unclear"),
        ("plant", ("", ADDRESS), "other"),
        ("plant", ("",), "unclear"),
    ],
)
def test_an_extension_is_known_by_its_address_and_its_name_together(
    named: str, addresses: tuple[str, ...], verdict: str
) -> None:
    assert ownership(extension(named), "edge01", at(*addresses))[0] == verdict


@pytest.mark.parametrize(("stated", "verdict"), [("EDGE01", "own"), ("edge02", "other")])
def test_a_connection_string_that_can_be_read_says_it(stated: str, verdict: str) -> None:
    shown = extension("edge01", connectionString=f"ConnectedRegistryName={stated};ParentEndpointProtocol=https")
    assert ownership(shown, "edge01", at(ADDRESS))[0] == verdict


@pytest.mark.parametrize(
    ("chosen", "named", "addresses", "goes"),
    [
        ("plant", "plant", ("",), True),
        ("plant", "plant", ("", ADDRESS), False),
        ("none", "edge01", (ADDRESS,), False),
        ("", "plant", ("",), False),
    ],
)
def test_where_nothing_shows_whose_it_is_a_person_says_it(
    chosen: str, named: str, addresses: tuple[str, ...], goes: bool
) -> None:
    assert (own_extension("edge01", chosen, (extension(named),), at(*addresses)) is not None) == goes


def test_an_extension_of_another_type_is_nobodys_registry() -> None:
    flux = replace(extension("edge01"), type="microsoft.flux")
    assert own_extension("edge01", "", (flux,), at(ADDRESS)) is None


def test_what_it_syncs_by_goes_and_what_another_one_syncs_by_stays() -> None:
    own = of_edge01((EDGE01, EDGE02), (sync_map("edge01"), sync_map("edge02")), (token("edge01"), token("edge02")))
    assert (dict(own.tokens), own.scope_maps) == ({"edge01": "Sync"}, ("edge01",))


def test_what_is_left_of_one_that_is_gone_is_known_by_the_gateway_that_it_names() -> None:
    own = of_edge01((EDGE02,), (replace(sync_map("edge01"), name="old"),), (token("forgotten", "old"),))
    assert (own.registry, dict(own.tokens), own.scope_maps) == (None, {"forgotten": "Sync"}, ("old",))


def test_a_scope_map_that_bears_its_name_and_says_nothing_of_it_is_somebody_elses() -> None:
    own = of_edge01((EDGE02,), (client_map("edge01"),), (token("edge01"),))
    assert (dict(own.tokens), own.scope_maps) == ({}, ())


@pytest.mark.parametrize(
    ("keep", "tokens", "scope_maps"),
    [(False, {"edge01": "Sync", "till": "Client"}, ("edge01", "till")), (True, {"edge01": "Sync"}, ("edge01",))],
)
def test_client_tokens_go_unless_they_are_to_be_kept(
    keep: bool, tokens: Mapping[str, str], scope_maps: tuple[str, ...]
) -> None:
    registry = replace(EDGE01, client_token_ids=("/acr/tokens/TILL",))
    maps = (sync_map("edge01"), client_map("till"))
    own = of_edge01((registry,), maps, (token("edge01"), token("till")), keep_client_tokens=keep)
    assert (dict(own.tokens), own.scope_maps) == (tokens, scope_maps)


def test_a_client_token_of_another_registry_too_stays_with_its_scope_map() -> None:
    clients = ("/acr/tokens/till",)
    registries = (replace(EDGE01, client_token_ids=clients), replace(EDGE02, client_token_ids=clients))
    own = of_edge01(registries, (sync_map("edge01"), client_map("till")), (token("edge01"), token("till")))
    assert (dict(own.tokens_in_use), own.scope_maps) == ({"till": ("edge02",)}, ("edge01",))


@pytest.mark.parametrize("system_defined", [False, True])
def test_a_scope_map_that_others_use_or_azure_owns_stays(system_defined: bool) -> None:
    registry = replace(EDGE01, client_token_ids=("/acr/tokens/till",))
    maps = (sync_map("edge01"), client_map("shared", system_defined=system_defined))
    others = () if system_defined else (token("scanner", "shared"),)
    own = of_edge01((registry,), maps, (token("edge01"), token("till", "shared"), *others))
    assert own.scope_maps == ("edge01",)
    assert dict(own.maps_in_use) == ({} if system_defined else {"shared": ("scanner",)})


def test_those_above_lose_its_gateway_and_keep_their_repositories() -> None:
    plant = replace(EDGE02, name="plant", token_id="/acr/tokens/plant")
    child = replace(EDGE01, parent="plant")
    maps = (sync_map("plant", "edge01"), sync_map("edge01"))
    own = of_edge01((plant, child), maps, (token("plant"), token("edge01")))
    assert {one.split("/")[1] for one in own.narrowed["plant"]} == {"edge01"}
    assert own.scope_maps == ("edge01",)
    assert own.repositories_kept == {"plant": ("hello-world",)}


def test_a_repository_that_another_one_below_syncs_is_not_spoken_of() -> None:
    plant = replace(EDGE02, name="plant", token_id="/acr/tokens/plant")
    children = (replace(EDGE01, parent="plant"), replace(EDGE02, parent="plant"))
    maps = (sync_map("plant", "edge01", "edge02"), sync_map("edge01"), sync_map("edge02"))
    own = of_edge01((plant, *children), maps, (token("plant"), token("edge01"), token("edge02")))
    assert own.repositories_kept == {}


def test_those_below_it_are_named() -> None:
    assert of_edge01((EDGE01, replace(EDGE02, parent="EDGE01")), (), ()).children == ("edge02",)
