"""Clients in the cluster that ask a connected registry what it has, by programs in Pods that really run."""

import json
from typing import Any

import pytest
from kubernetes.aio import client as kube

from sandbox.azure.images import sample_image
from sandbox.compose import Sandbox
from sandbox.tests.contract.edge.operator_at_work import ADDRESS, Operator, eventually
from sandbox.tests.contract.edge.test_pulls import client_token

PYTHON = "mcr.microsoft.com/azurelinux/distroless/python:3.12"
CLIENT = f"""
import base64, json, os, ssl, sys, urllib.error, urllib.request

def get(path, authorization):
    request = urllib.request.Request("https://{ADDRESS}" + path, headers={{"Authorization": authorization}})
    try:
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)

entry = json.loads(os.environ["PULL"])["auths"]["{ADDRESS}"]
basic = "Basic " + base64.b64encode((entry["username"] + ":" + entry["password"]).encode()).decode()
status, answer = get("/acr/oauth2/token?service={ADDRESS}&scope=" + sys.argv[1], basic)
answers = [get(path, "Bearer " + answer.get("access_token", "")) for path in sys.argv[2:]]
print(json.dumps([[status, sorted(answer)], *answers]))
"""
SECRET = {"secretKeyRef": {"name": "regcred", "key": ".dockerconfigjson"}}


async def asked(operator: Operator, password: str, scope: str, *paths: str) -> list[Any]:
    """Status and answer of the request for an access token, then of each path."""
    await operator.workload("busybox", user="client01", password=password)
    container = {"name": "app", "image": PYTHON, "command": ["python3", "-c", CLIENT, scope, *paths]}
    spec = {"restartPolicy": "Never", "containers": [container | {"env": [{"name": "PULL", "valueFrom": SECRET}]}]}
    await operator.core.create_namespaced_pod("default", {"metadata": {"name": "client"}, "spec": spec})

    async def log() -> str | None:
        pod = await operator.core.read_namespaced_pod("client", "default")
        done = pod.status.phase in {"Succeeded", "Failed"}
        return await operator.core.read_namespaced_pod_log("client", "default") if done else None

    answers: list[Any] = json.loads(await eventually(log))
    return answers


async def test_a_client_lists_repositories_and_tags_and_reads_manifests(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")

    paths = ("/v2/hello-world/tags/list", "/v2/hello-world/manifests/latest", "/v2/hello-world/manifests/v9")
    token, tags, index, unknown = await asked(operator, password, "repository:hello-world:pull", *paths)

    assert token == [200, ["access_token"]]
    assert tags == [200, {"name": "hello-world", "tags": ["latest"]}]
    assert index == [200, json.loads(sample_image("hello-world:latest").top.content)]
    assert (unknown[0], unknown[1]["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("registry:catalog:*", "/v2/_catalog", 200),
        ("repository:hello-world:pull", "/v2/azuredocs/aks-helloworld/tags/list", 401),
    ],
)
async def test_an_access_token_is_good_for_what_its_scope_names(
    operator: Operator, sandbox: Sandbox, scope: str, path: str, status: int
) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")

    _, answer = await asked(operator, password, scope, path)

    assert answer[0] == status
    assert answer[1].get("repositories", ["hello-world"]) == ["hello-world"]


async def test_a_wrong_password_gets_no_access_token(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    await client_token(operator, sandbox, "hello-world")

    assert (await asked(operator, "wrong", "repository:hello-world:pull"))[0] == [401, ["errors"]]


async def test_an_index_that_was_copied_in_part_lacks_its_other_manifests(operator: Operator, sandbox: Sandbox) -> None:
    await operator.control(scenario="partial-index")
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")

    digests = [one.digest for one in sample_image("hello-world:latest").manifests]
    paths = [f"/v2/hello-world/manifests/{digest}" for digest in digests]
    _, *manifests = await asked(operator, password, "repository:hello-world:pull", *paths)

    assert [status for status, _ in manifests] == [200, 404]


async def test_a_job_whose_program_fails_is_given_up_after_its_last_attempt(operator: Operator) -> None:
    container = {"name": "app", "image": PYTHON, "command": ["python3", "-c", "import sys; sys.exit('no luck')"]}
    spec = {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    batch: Any = kube.BatchV1Api(operator.core.api_client)
    await batch.create_namespaced_job("default", {"metadata": {"name": "client"}, "spec": spec})

    async def failure() -> str | None:
        job = await batch.read_namespaced_job("client", "default")
        return next((one.reason for one in job.status.conditions or () if one.type == "Failed"), None)

    assert await eventually(failure) == "BackoffLimitExceeded"
    pods = (
        await operator.core.list_namespaced_pod("default", label_selector="batch.kubernetes.io/job-name=client")
    ).items
    assert [pod.status.container_statuses[0].state.terminated.exit_code for pod in pods] == [1]
    assert await operator.core.read_namespaced_pod_log(pods[0].metadata.name, "default") == "no luck\n"
