"""The account that deploy/rbac makes: it has what a deployment uses, and a right that it lacks is named."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.controlplane.api import Api
from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.gateways.kubernetes.rights import Right, deploying
from services.model.errors import NotAuthenticated
from services.model.plan import Finding
from services.operations.answers import Known
from services.operations.deploy.checks import CHECKS
from services.operations.deploy.observation import Observation
from services.policy.sites import Site
from tests.bots_account import account, manifests, open_admin
from tests.unit.checks.conftest import clean, request_, site

__all__ = ["clean", "request_", "site"]
PATIENCE = 60
"""Seconds until an API server has taken notice of a role; it takes a few milliseconds."""
Manifests = list[dict[str, Any]]
AsBot = Callable[[Manifests], Awaitable[KubernetesCluster]]


@pytest.fixture
async def administrator(kubeconfig: Path) -> AsyncIterator[Api]:
    async with await open_admin(kubeconfig, "berlin") as admin:
        yield admin


@pytest.fixture
def as_the_bot(administrator: Api, kubeconfig: Path, gateway: KubernetesGateway, tmp_path: Path) -> AsBot:
    """Applies manifests; the cluster as the account that they bind sees it."""

    async def applied(granted: Manifests) -> KubernetesCluster:
        token = await account(administrator, granted)
        content = yaml.safe_load(await asyncio.to_thread(kubeconfig.read_text))
        for user in content["users"]:
            user["user"] = {"token": token}
        file = tmp_path / "kubeconfig-of-the-bot"
        await asyncio.to_thread(file.write_text, yaml.safe_dump(content))
        return await gateway.cluster(str(file), "berlin")

    return applied


def without(right: Right) -> Manifests:
    """The manifests, one right less."""
    return [_less(one, right) if one["kind"] in {"Role", "ClusterRole"} else one for one in manifests()]


def _less(role: dict[str, Any], right: Right) -> dict[str, Any]:
    single = [
        rule | {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    place = role["metadata"].get("namespace", "")
    wanted = (right.namespace, right.verb, right.group, right.resource, list(right.names))
    kept = [
        rule
        for rule in single
        if (place, rule["verbs"][0], rule["apiGroups"][0], rule["resources"][0], rule.get("resourceNames", []))
        != wanted
    ]
    return role | {"rules": kept}


async def settled(cluster: KubernetesCluster, expected: tuple[str, ...]) -> tuple[str, ...]:
    """The missing rights as soon as they are as expected, else at the end of the patience."""
    missing: tuple[str, ...] = ()
    for _ in range(PATIENCE * 20):
        with suppress(NotAuthenticated):  # the API server may not know the new account yet
            if (missing := await cluster.missing_rights("default")) == expected:
                break
        await asyncio.sleep(0.05)
    return missing


async def test_the_manifests_grant_everything_that_a_deployment_uses(as_the_bot: AsBot) -> None:
    cluster = await as_the_bot(manifests())

    assert await settled(cluster, ()) == ()


@pytest.mark.parametrize("right", deploying("default"), ids=str)
async def test_one_right_less_is_named_by_the_check(
    as_the_bot: AsBot, right: Right, site: Site, request_: Any, clean: Observation
) -> None:
    cluster = await as_the_bot(without(right))

    missing = await settled(cluster, (str(right),))
    finding = rights_check(site, request_, replace(clean, missing_rights=Known(missing)))

    assert (finding.level, finding.facts["missing"]) == ("blocker", (str(right),))


def rights_check(site: Site, request: Any, seen: Observation) -> Finding:
    check = next(one for one in CHECKS if one.id == "kubernetes.rights")
    found = check.rule(site, request, seen)
    assert found is not None
    return found
