"""The manifests in deploy/rbac grant exactly the rights that the code uses."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.gateways.kubernetes.rights import READING, SHOWING, Right, asking_edges, holding, pulling

FOLDER = Path(__file__).parents[3] / "deploy" / "rbac"
Granted = tuple[str, str, str, str, tuple[str, ...]]


def documents(file: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / file).read_text(encoding="utf-8")))


def granted(file: str) -> set[Granted]:
    """Namespace, verb, group, resource and names, one for each right."""
    return {
        (role["metadata"].get("namespace", ""), verb, group, resource, tuple(rule.get("resourceNames", ())))
        for role in documents(file)
        if role["kind"] in {"Role", "ClusterRole"}
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def used(rights: tuple[Right, ...]) -> set[Granted]:
    return {(right.namespace, right.verb, right.group, right.resource, right.names) for right in rights}


def test_read_only_grants_what_looking_uses() -> None:
    assert granted("read-only.yaml") == used(READING + SHOWING)


def test_deploying_grants_what_holding_an_address_uses() -> None:
    assert granted("deploying.yaml") == used(holding("default"))


def test_workloads_grants_what_a_workload_uses() -> None:
    assert granted("workloads.yaml") == used(pulling("default"))


def test_images_grants_what_asking_an_edge_uses() -> None:
    assert granted("images.yaml") == used(asking_edges("default"))


@pytest.mark.parametrize("file", ["read-only.yaml", "deploying.yaml", "workloads.yaml", "images.yaml"])
def test_every_role_is_bound_to_the_bots_account(file: str) -> None:
    roles = {(item["kind"], item["metadata"]["name"]) for item in documents(file) if item["kind"].endswith("Role")}
    bindings = [item for item in documents(file) if item["kind"].endswith("Binding")]
    account = {"kind": "ServiceAccount", "name": "registry-bot", "namespace": "registry-bot"}

    assert {
        (one["roleRef"]["kind"], one["roleRef"]["name"]) for one in bindings if one["subjects"] == [account]
    } == roles
