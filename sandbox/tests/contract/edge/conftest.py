"""The three parts together at immediate speed, and an operator with the official clients."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import world as worlds
from sandbox.compose import Sandbox
from sandbox.controlplane.part import RealKubePart
from sandbox.tests.contract.edge.operator_at_work import Operator


@pytest.fixture
def world() -> dict[str, Any]:
    """The default world with a registry that is ready to have connected registries, and the newest API server."""
    world = worlds.load()
    world["kube"]["clusters"][0]["version"] = "v1.37.2"
    registry = world["azure"]["registries"][0]
    registry |= {"data_endpoint": True, "images": ["hello-world:latest", "azuredocs/aks-helloworld:v1"]}
    world["azure"]["providers"] = {
        "Microsoft.ContainerRegistry": "Registered",
        "Microsoft.KubernetesConfiguration": "Registered",
    }
    return world


@pytest.fixture
async def sandbox(tmp_path: Path, world: dict[str, Any], clusters: RealKubePart | None) -> AsyncIterator[Sandbox]:
    async with Sandbox(world, folder=tmp_path, parts=("azure", "kube", "edge"), control_plane=clusters) as sandbox:
        yield sandbox


@pytest.fixture
async def operator(sandbox: Sandbox) -> AsyncIterator[Operator]:
    operator = Operator(sandbox)
    await operator.open()
    yield operator
    await operator.close()
