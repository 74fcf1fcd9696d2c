"""What a connected registry says of its repositories, as the bot reads it from the log of the Job that asks."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateways.kubernetes.contents import job_manifest, program, read_log
from services.model.contents import EdgeContents, EdgeQuestion, EdgeSilence, EdgeTag
from services.model.errors import Unreachable
from services.model.kubernetes import DeployedWorkload, WorkloadPod, WorkloadSpec
from services.operations.edge_contents import answered_by, by_proof, readers
from tests.golden.values import SITE

ONE, TWO, THREE = (f"sha256:{number:064x}" for number in (1, 2, 3))
QUESTION = EdgeQuestion("shop", "10.0.0.9", {"app": "regcred-app-1", "tools": "regcred-tools-2"}, "python:3.12")
ANSWERS = (
    {"repository": "app", "tag": "v1", "digest": ONE, "missing": []},
    {"repository": "app", "tag": "v2", "digest": TWO, "missing": [THREE]},
    {"repository": "app", "tags": 2},
    {"repository": "tools", "error": "Refused", "detail": "HTTP 401 Unauthorized"},
)
LOG = "".join(f"{json.dumps(line)}\n" for line in ANSWERS)


def test_each_repository_has_its_own_answer() -> None:
    assert read_log(LOG, QUESTION) == {
        "app": {"v1": EdgeTag(ONE), "v2": EdgeTag(TWO, (THREE,))},
        "tools": EdgeSilence("Refused", "HTTP 401 Unauthorized"),
    }


@given(st.integers(0, len(LOG)), st.integers(0, len(LOG)))
def test_of_a_log_with_a_gap_no_repository_is_read_in_part(begin: int, end: int) -> None:
    answers = read_log(LOG[:begin] + LOG[end:] if begin < end else LOG[end:begin], QUESTION)
    complete = read_log(LOG, QUESTION)

    assert all(isinstance(answer, EdgeSilence) or answer == complete[name] for name, answer in answers.items())


@pytest.mark.parametrize(
    "line",
    [
        {"repository": "app", "tag": "v1", "digest": "sha256:1", "missing": []},
        {"repository": "app", "tag": "v1", "digest": ONE},
        {"repository": "other", "tag": "v1", "digest": ONE, "missing": []},
        ["app", 1],
        7,
    ],
)
def test_a_line_that_is_no_answer_counts_for_nothing(line: object) -> None:
    log = f"Traceback\n{json.dumps(line)}\n{json.dumps({'repository': 'app', 'tags': 1})}\n"

    answers = read_log(log, QUESTION)
    assert all(isinstance(answer, EdgeSilence) for answer in answers.values())


def test_the_pod_gets_the_pull_secrets_without_anybody_reading_them() -> None:
    manifest = job_manifest("registry-bot-images-1", QUESTION)
    (container,) = manifest["spec"]["template"]["spec"]["containers"]

    assert [variable["valueFrom"]["secretKeyRef"]["name"] for variable in container["env"]] == [
        "regcred-app-1",
        "regcred-tools-2",
    ]
    assert container["command"][:4] == ["python3", "-I", "-c", program()]
    assert manifest["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def workload(name: str, image: str, *, pulled: bool, managed: bool = True) -> DeployedWorkload:
    pod = WorkloadPod(name, "node", image, f"{image}@{ONE}" if pulled else "", "running", "", "")
    spec = WorkloadSpec("shop", name, "edge01", f"10.0.0.9/{image}", 1, None, f"regcred-{name}-1")
    return DeployedWorkload(spec, "uid", managed, (pod,))


def test_a_repository_is_read_with_the_secret_of_a_workload_that_has_pulled_it() -> None:
    workloads = [
        workload("one", "team/app:v1", pulled=True),
        workload("two", f"team/app@{ONE}", pulled=False),
        workload("three", "tools", pulled=True, managed=False),
        workload("four", "unasked:v1", pulled=True),
    ]

    assert readers(by_proof(workloads), ("team/app", "tools")) == {"shop": {"team/app": "regcred-one-1"}}


async def test_an_edge_that_does_not_answer_in_time_could_not_be_asked_and_takes_nobody_with_it() -> None:
    now = asyncio.get_running_loop().time()
    contents: dict[str, EdgeContents] = {"app": {"v1": EdgeTag(ONE)}}
    late = await answered_by(now, SITE, ("app",), asyncio.sleep(60, contents))

    assert await answered_by(now + 60, SITE, ("app",), asyncio.sleep(0, contents)) == contents
    assert isinstance(late["app"], EdgeSilence)
    assert (late["app"].code, type(late["app"].error)) == ("NotAsked", Unreachable)
