"""In a real cluster the bot exercises every right that deploy/rbac grants, and asks for nothing else."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from sandbox.controlplane.api import Json
from sandbox.controlplane.part import RealKubePart, audited
from sandbox.testing.clusters import BERLIN_AND_HAMBURG, RealClusters
from services.gateways.kubernetes.rights import SHOWING, Right, deploying
from tests.bots_account import NAME
from tests.flows.conversation import Conversation

ANYBODYS = {"selfsubjectaccessreviews"}
"""What every authenticated identity may do."""
ANY_NAME = {"pods/log", "namespaces"}
"""What the bot may get under any name."""
Exercised = tuple[str, str, str, str]


@pytest.fixture(params=["real"])
def clusters(real_clusters: RealClusters) -> RealKubePart:
    return real_clusters.fresh(BERLIN_AND_HAMBURG)


@pytest.fixture
def seen_before(clusters: RealKubePart) -> set[str]:
    return {entry["auditID"] for entry in audited(clusters.control_plane.clusters["berlin"].audit_log)}


def exercised(entries: Iterable[Json]) -> set[Exercised]:
    """Verb, group, resource and (for a single object of a fixed name) name."""
    rights = set()
    for entry in entries:
        target: dict[str, Any] = entry.get("objectRef") or {}
        if not target or target["resource"] in ANYBODYS:
            continue
        resource = "/".join(part for part in (target["resource"], target.get("subresource")) if part)
        name = target.get("name", "") if entry["verb"] == "get" and resource not in ANY_NAME else ""
        rights.add((entry["verb"], target.get("apiGroup", ""), resource, name))
    return rights


def granted(rights: Iterable[Right]) -> set[Exercised]:
    return {(right.verb, right.group, right.resource, "".join(right.names)) for right in rights}


async def test_a_deployment_uses_every_right_but_what_is_only_shown_and_no_other(
    registry: Conversation, clusters: RealKubePart, seen_before: set[str]
) -> None:
    await registry.say("deploy edge01 --site berlin")
    assert (await registry.operation("edge01")).state == "succeeded"

    async def own_requests() -> list[Json]:
        log = await asyncio.to_thread(audited, clusters.control_plane.clusters["berlin"].audit_log)
        return [entry for entry in log if entry["user"].get("username") == NAME and entry["auditID"] not in seen_before]

    assert exercised(await own_requests()) == granted(deploying("default"))
    await registry.say("extension show edge01")
    own = await own_requests()
    assert exercised(own) == granted(deploying("default") + SHOWING)
    assert [entry for entry in own if entry["responseStatus"]["code"] == 403] == []
