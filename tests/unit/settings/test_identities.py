"""The file of identities, and the sites that refer to it."""

from pathlib import Path

import pytest

from bot import configuration, identities
from bot.problems import Broken
from services.policy.identities import IdentityMap
from tests.unit.settings.test_configuration import ACCESS

TENANT, CLIENT = "11111111-1111-4111-8111-111111111111", "33333333-3333-4333-8333-333333333333"
SUBSCRIPTION, OTHER = "22222222-2222-4222-8222-222222222222", "44444444-4444-4444-8444-444444444444"


def written(folder: Path, content: str) -> list[str]:
    """The problems of an identity file."""
    file = folder / "identities.yaml"
    file.write_text(content)
    with pytest.raises(Broken) as broken:
        identities.load(file, {})
    return [str(problem).replace(f"{folder}/", "") for problem in broken.value.problems]


def entry(text: str) -> str:
    return f"identities:\n  plant-de: {{{text}}}\n"


def test_secrets_come_from_files_and_variables_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    (tmp_path / "identities.yaml").write_text(
        f"""\
identities:
  plant-de: {{kind: secret, tenant: {TENANT}, client_id: {CLIENT}, secret_file: {tmp_path}/secret}}
  plant-fr: {{kind: secret, tenant: {TENANT}, client_id: {CLIENT}, secret_variable: FRANCE}}
  here: {{kind: managed}}
"""
    )
    loaded = identities.load(tmp_path / "identities.yaml", {"FRANCE": "from a variable"})

    secrets = {name: identity.secret and identity.secret.reveal() for name, identity in loaded.items()}
    assert secrets == {"plant-de": "from a file", "plant-fr": "from a variable", "here": None}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind: secret, secret_variable: X", "an identity of the kind `secret` needs `tenant` and `client_id`"),
        (f"kind: secret, tenant: {TENANT}, client_id: {CLIENT}", "`secret_file` or `secret_variable`, one of them"),
        ("kind: managed, secret_variable: X", "`secret_file` or `secret_variable`, one of them"),
        (f"kind: managed, tenant: {TENANT}", "a managed identity has the tenant of its machine"),
        ("kind: workload", "an identity of the kind `workload` needs `tenant`, `client_id` and `token_file`"),
        ("kind: magic", "`identities.plant-de.kind` has to be 'workload', 'managed', 'secret' or 'cli'"),
        ("kind: cli, password: hunter2", "there is no key `password`"),
        (
            f"kind: secret, tenant: {TENANT}, client_id: {CLIENT}, secret_variable: X",
            "the environment variable `X` is not set",
        ),
        (
            f"kind: secret, tenant: {TENANT}, client_id: {CLIENT}, secret_file: /nowhere",
            "/nowhere can't be used: No such file",
        ),
    ],
)
def test_an_identity_that_can_not_work_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    (line,) = written(tmp_path, entry(text))

    assert line.startswith("identities.yaml:2")
    assert problem in line
    assert "hunter2" not in line


SITES = f"""\
sites:
  berlin:
    environment: production
    subscription: {SUBSCRIPTION}
    resource_group: edge-rg
    acr: {{name: contosoacr}}
    cluster: {{name: berlin-arc, subscription: {OTHER}, resource_group: plants-rg, identity: plant-de}}
  hamburg:
    environment: production
    subscription: {SUBSCRIPTION}
    resource_group: hamburg-rg
    identity: plant-de
    acr: {{name: contosoacr, resource_group: edge-rg, identity: central}}
    cluster: {{name: hamburg-arc}}
"""


def loaded(folder: Path, text: str, *names: str) -> configuration.Files:
    (folder / "sites.yaml").write_text(text)
    (folder / "access.yaml").write_text(ACCESS)
    return configuration.load(folder / "sites.yaml", folder / "access.yaml", identities=names)


def test_an_unknown_identity_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(Broken) as broken:
        loaded(tmp_path, SITES.replace("identity: central", "identity: plant_de".replace("_", "-d-")), "plant-de")

    assert "there is no identity `plant-d-de`; did you mean `plant-de`?" in str(broken.value)


def test_two_identities_in_one_resource_group_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Broken) as broken:
        loaded(tmp_path, SITES, "plant-de", "central")

    assert (
        "the resource group edge-rg has the identity `central` here, and of the bot's own settings at the site `berlin`"
    ) in str(broken.value)


def test_each_resource_has_the_identity_of_its_group_and_a_subscription_that_of_its_first_site(tmp_path: Path) -> None:
    files = loaded(
        tmp_path,
        SITES.replace(", identity: central", ', identity: "central"').replace(
            "acr: {name: contosoacr}\n    cluster: {name: berlin",
            "acr: {name: contosoacr, identity: central}\n    cluster: {name: berlin",
        ),
        "plant-de",
        "central",
    )
    choice = IdentityMap(lambda: files.sites)
    berlin, hamburg = files.sites["berlin"], files.sites["hamburg"]

    assert [choice(berlin.acr_ref.id), choice(berlin.cluster_ref.id)] == ["central", "plant-de"]
    assert [choice(hamburg.acr_ref.id.upper()), choice(hamburg.cluster_ref.id)] == ["central", "plant-de"]
    assert choice(f"/subscriptions/{SUBSCRIPTION}/providers") == "central"
    assert choice(f"/subscriptions/{OTHER}/providers/Microsoft.Kubernetes") == "plant-de"
    assert choice("/subscriptions/99999999-9999-4999-8999-999999999999/providers") == ""
