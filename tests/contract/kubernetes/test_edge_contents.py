"""The Job that asks a connected registry what it has."""

import json
from typing import Any

import pytest
from kubernetes.aio import client

from sandbox.kube.logs import LOG
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.gateways.kubernetes.contents import job_manifest, job_name
from services.model.contents import EdgeQuestion, EdgeSilence, EdgeTag

DIGEST = f"sha256:{1:064x}"
QUESTION = EdgeQuestion("default", "10.96.0.30", {"shop": "regcred"}, "example.com/python:3.12", key="op-1 1 2 1")
ANSWERS = ({"repository": "shop", "tag": "v1", "digest": DIGEST, "missing": []}, {"repository": "shop", "tags": 1})


@pytest.fixture
def jobs(admin: Any) -> Any:
    return client.BatchV1Api(admin.api_client)


async def left_behind(jobs: Any, **more: Any) -> None:
    """A process that died has asked, and its Pod has printed the answers."""
    manifest: Any = job_manifest(job_name(QUESTION), QUESTION)
    log = "".join(f"{json.dumps(answer)}\n" for answer in ANSWERS)
    manifest["spec"]["template"]["metadata"]["annotations"] = {LOG: log}
    manifest["spec"] |= more
    await jobs.create_namespaced_job("default", manifest)


@pytest.mark.usefixtures("part")
async def test_the_answer_is_taken_that_a_process_which_died_has_asked_for(
    berlin: KubernetesCluster, jobs: Any
) -> None:
    await left_behind(jobs)

    assert await berlin.edge_contents(QUESTION) == {"shop": {"v1": EdgeTag(DIGEST)}}
    assert (await jobs.list_namespaced_job("default")).items == []


@pytest.mark.usefixtures("part")
async def test_a_job_without_a_pod_gives_way_to_another_one(berlin: KubernetesCluster, jobs: Any) -> None:
    await left_behind(jobs, suspend=True)

    assert await berlin.edge_contents(QUESTION) == {"shop": EdgeSilence("Unreadable", "it printed nothing")}
    assert (await jobs.list_namespaced_job("default")).items == []
