"""Which extension of a cluster serves which connected registry."""

from services.model.azure import ConnectedRegistry, Extension
from services.policy.extensions import extension_of, served_registries
from services.policy.sites import EXTENSION_TYPE


def registry(name: str, login_server: str = "", activation: str = "Active") -> ConnectedRegistry:
    return ConnectedRegistry(
        id=f"/{name}",
        name=name,
        mode="ReadOnly",
        connection_state="Online",
        activation=activation,
        provisioning_state="Succeeded",
        token_id=f"/tokens/{name}",
        schedule="* * * * *",
        window=None,
        message_ttl=None,
        login_server=login_server,
    )


def extension(name: str, address: str, *, type_: str = EXTENSION_TYPE, state: str = "Succeeded") -> Extension:
    return Extension(f"/{name}", name, type_, state, {"service.clusterIP": address})


def test_an_extension_of_any_name_serves_the_registry_whose_login_server_is_its_address() -> None:
    edge05, edge06 = registry("edge05", "10.112.0.4"), registry("edge06", "10.112.0.9")
    own = extension("cr-ext", "10.112.0.4")

    assert extension_of("edge05", (edge05, edge06), (own,)) == own
    assert extension_of("edge06", (edge05, edge06), (own,)) is None


def test_an_extension_of_another_type_serves_no_registry_whatever_its_name_and_address() -> None:
    edge05 = registry("edge05", "10.112.0.4")

    assert extension_of("edge05", (edge05,), (extension("edge05", "10.112.0.4", type_="microsoft.flux"),)) is None


def test_a_registry_without_contact_is_served_by_the_extension_that_is_named_for_it() -> None:
    edge05 = registry("edge05", activation="Inactive")
    failed = extension("edge05", "10.112.0.4", state="Failed")

    assert extension_of("edge05", (edge05, registry("edge07", "10.112.0.4")), (failed,)) == failed


def test_a_registry_that_is_active_at_another_address_is_not_served_by_its_namesake() -> None:
    edge05 = registry("edge05", "10.96.0.2")

    assert extension_of("edge05", (edge05,), (extension("edge05", "10.112.0.4"),)) is None


def test_the_same_address_in_another_cluster_is_no_proof_against_a_name() -> None:
    edge01, edge02 = registry("edge01", "10.0.0.2"), registry("edge02", "10.0.0.2")

    assert extension_of("edge02", (edge01, edge02), (extension("edge01", "10.0.0.2"),)) is None


def test_an_address_that_several_registries_have_leaves_it_open_which_one_is_served() -> None:
    edge01, edge02 = registry("edge01", "10.0.0.2"), registry("edge02", "10.0.0.2")
    unclear = extension("cr-ext", "10.0.0.2")

    assert served_registries(unclear, (edge01, edge02)) == (edge01, edge02)
    assert extension_of("edge01", (edge01, edge02), (unclear,)) is None


def test_of_two_extensions_for_one_registry_the_one_that_works_is_its_own() -> None:
    edge05 = registry("edge05", "10.112.0.4")
    failed, working = extension("edge05", "10.112.0.4", state="Failed"), extension("cr-ext", "10.112.0.4")

    assert extension_of("edge05", (edge05,), (failed, working)) == working


def test_what_is_left_of_a_registry_that_is_gone_is_nobody_elses() -> None:
    remainder = extension("edge05", "10.112.0.4")

    assert extension_of("edge05", (registry("edge06", "10.112.0.9"),), (remainder,)) == remainder
