"""A hundred ways in which a site's way leads to another cluster than its own: each ends before the first write."""

import base64
import random
import re
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import yaml

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.kube import KubePart
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority
from services.gateways.azure import Options, open_azure
from services.gateways.azure.identity import Identity
from services.gateways.kubernetes import KubernetesGateway
from services.model.errors import Foreign, WrongCluster
from services.operations.reach import cluster_of
from services.policy.sites import Site
from services.ports import Azure

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
SILENT = "lyon"
"""A cluster whose Arc agents do not say which one it is."""
CLUSTERS = ("berlin", "hamburg", "oslo", "paris", SILENT)
KINDS = ("another context", "two contexts swapped", "server of another", "only context", "no context", "the bot's own")
MIXUPS = 100


@dataclass(frozen=True)
class Mixup:
    """The site of the cluster `own`, whose way leads to the cluster `other`."""

    kind: str
    own: str
    other: str
    access: str
    changes: dict[str, str] = field(default_factory=dict)
    """Of the site's resource names, for a cluster of the same name in another group or subscription."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.own} to {self.other} by {self.access} {' '.join(self.changes)}".strip()


def mixups() -> list[Mixup]:
    """The same ones in every run."""
    chance = random.Random(11)  # noqa: S311 - a choice that is the same in every run
    pairs = [pair for pair in product(CLUSTERS, CLUSTERS) if pair[0] != pair[1]]
    generated = [
        Mixup(kind, own, other, access)
        for kind, (own, other), access in product(KINDS, pairs, ("kubeconfig", "arc"))
        # An Arc proxy always has a kubeconfig.
        if (kind, access) != ("the bot's own", "arc")
    ]
    namesakes = [
        Mixup("another context", own, own, access, change)
        for own, access, change in product(
            CLUSTERS[:-1],
            ("kubeconfig", "arc"),
            ({"subscription": "99999999-2222-4222-8222-222222222222"}, {"resource_group": "other-rg"}),
        )
    ]
    return [*chance.sample(generated, MIXUPS - len(namesakes)), *namesakes]


@dataclass
class Clusters:
    """Five clusters in one process, and the ways to them."""

    part: KubePart
    azure: Azure
    folder: Path

    def kubeconfig(self, mixup: Mixup) -> Path:
        """The mixed-up file, with contexts named after the clusters."""
        content: dict[str, Any] = deepcopy(yaml.safe_load(self.part.kubeconfig.read_text()))
        contexts = {one["name"]: one for one in content["contexts"] if one["name"] in CLUSTERS}
        servers = {one["name"]: one["cluster"] for one in content["clusters"]}
        own, other = contexts[mixup.own]["context"], contexts[mixup.other]["context"]
        match mixup.kind:
            case "two contexts swapped":
                own["cluster"], other["cluster"] = mixup.other, mixup.own
            case "server of another":
                servers[mixup.own]["server"] = servers[mixup.other]["server"]
            case "only context":
                contexts = {mixup.other: contexts[mixup.other]}
        # A file of its own: one that is written twice within a tick of the file system's clock looks unchanged.
        file = self.folder / re.sub(r"\W+", "-", str(mixup))
        file.write_text(yaml.safe_dump(content | {"contexts": list(contexts.values()), "current-context": mixup.own}))
        return file

    def site(self, mixup: Mixup) -> Site:
        """The site as its file has it."""
        way = {"kubeconfig": str(self.kubeconfig(mixup)), "context": mixup.own}
        match mixup.kind:
            case "another context":
                way["context"] = mixup.other
            case "only context" | "no context":
                del way["context"]
            case "the bot's own":
                way = {}
        values = {
            "name": "site",
            "environment": "production",
            "subscription": SUBSCRIPTION,
            "resource_group": "edge-rg",
            "acr": {"name": "contosoacr"},
            "access": mixup.access,
            "cluster": {"name": f"{mixup.own}-arc", "kubernetes": way},
        }
        return Site.model_validate(values | mixup.changes)

    def gateway(self, home: str) -> KubernetesGateway:
        """Of a bot that runs in a Pod of the cluster `home`."""
        at = urlsplit(self.part.urls[home])
        pod = {"KUBERNETES_SERVICE_HOST": str(at.hostname), "KUBERNETES_SERVICE_PORT": str(at.port)}
        return KubernetesGateway(deadline=5, environment=pod | {"HOME": str(self.folder)}, account=self.folder)

    async def write(self, mixup: Mixup) -> None:
        """Reach the site's cluster and create a Service in it, as the first write of a deployment does."""
        gateway = self.gateway(mixup.other)
        try:
            cluster = await cluster_of(self.azure, gateway, self.site(mixup))
            await cluster.hold_address(self.free_address(mixup.other), "default", "op-1")
        finally:
            await gateway.close()

    @staticmethod
    def free_address(cluster: str) -> str:
        """One that this cluster would give."""
        return f"10.{100 + CLUSTERS.index(cluster)}.0.20"

    def writes(self) -> list[str]:
        """Requests that would change a cluster; a question about rights is a POST too."""
        requests = [one for served in self.part._served.values() for one in served.server.requests]
        return [one.path for one in requests if one.method != "GET" and "selfsubject" not in one.path]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clusters(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clusters]:
    folder = tmp_path_factory.mktemp("clusters")
    arc = [{"name": f"{name}-arc", "resource_group": "edge-rg", "kube": name} for name in CLUSTERS if name != SILENT]
    kube = [
        {
            "name": name,
            "version": "v1.37.2",
            "service_cidrs": [f"10.{100 + at}.0.0/24"],
            "nodes": [{"name": "n1", "arch": "amd64"}],
            "storage_classes": [{"name": "standard", "default": True}],
        }
        for at, name in enumerate(CLUSTERS)
    ]
    world = {
        "azure": {"tenant": SUBSCRIPTION, "subscription": {"id": SUBSCRIPTION}, "connected_clusters": arc},
        "kube": {"clusters": kube},
    }
    part = KubePart(world, authority=Authority(folder), folder=folder, clock=Clock(), speed=IMMEDIATE, faults=Faults())
    await part.start()
    authority = yaml.safe_load(part.kubeconfig.read_text())["clusters"][0]["cluster"]["certificate-authority-data"]
    (folder / "ca.crt").write_bytes(base64.b64decode(authority))
    (folder / "token").write_text("sandbox-bot-token")
    async with await open_azure(Options(identity=Identity("cli"))) as connection:
        yield Clusters(part, connection.azure, folder)
    await part.stop()


@pytest.mark.parametrize("mixup", mixups(), ids=str)
async def test_a_mixup_ends_before_the_first_write(clusters: Clusters, mixup: Mixup) -> None:
    before = clusters.writes()

    with pytest.raises(Foreign) as refused:
        await clusters.write(mixup)
    assert isinstance(refused.value, WrongCluster) or refused.value.reason == "context"
    assert clusters.writes() == before


async def test_the_bots_own_cluster_is_used_where_it_says_that_it_is_the_sites(clusters: Clusters) -> None:
    at_home = Mixup("the bot's own", "berlin", "berlin", "kubeconfig")
    await clusters.write(at_home)

    assert clusters.writes()
