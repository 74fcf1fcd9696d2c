"""A new password for a workload's client token: what stands in its way, and which secret and password go in the end."""

from dataclasses import replace
from typing import Any

import pytest

from services.model.azure import Token
from services.model.kubernetes import DeployedWorkload, WorkloadPod, WorkloadSpec
from services.operations.answers import Known
from services.operations.checks import run
from services.operations.workload.rotation import (
    ROTATION_CHECKS,
    RotationObservation,
    RotationOptions,
    rotation_names,
    rotation_plan,
    rotation_request,
)
from services.operations.workload.rotation_steps import is_rolled_out
from services.operations.workload_removal import Place
from tests.golden.values import REGISTRY, SITE

PLACE = Place("shop", "till")
REQUEST = rotation_request(SITE, "edge01", RotationOptions("till", "shop"))
TOKEN = Token(f"/acr/tokens/{REQUEST.token}", REQUEST.token, "/acr/scopeMaps/till", enabled=True)
SPEC = WorkloadSpec("shop", "till", "edge01", "10.112.0.2/team/app:v1", 1, None, PLACE.pull_secrets[0])
EDGE = replace(REGISTRY, name="edge01", client_token_ids=(TOKEN.id,), login_server="10.112.0.2")
SEEN = RotationObservation(
    Known((EDGE,)), Known((TOKEN,)), Known(()), Known(DeployedWorkload(SPEC, "uid", managed=True, pods=()))
)


def workload(**spec: Any) -> Known[DeployedWorkload | None]:
    return Known(DeployedWorkload(replace(SPEC, **spec), "uid", managed=True, pods=()))


def blockers(observation: RotationObservation) -> set[str]:
    findings = run(ROTATION_CHECKS, SITE, REQUEST, observation, rotation_names(SITE, REQUEST))
    return {finding.code for finding in findings if finding.level == "blocker"}


@pytest.mark.parametrize(
    ("observation", "codes"),
    [
        (SEEN, set[str]()),
        (replace(SEEN, workload=Known(None)), {"workload_absent"}),
        (replace(SEEN, workload=workload(pull_secret="regcred")), {"workload_foreign"}),
        (replace(SEEN, workload=workload(registry="edge02")), {"workload_of_another_registry"}),
        (replace(SEEN, tokens=Known(())), {"token_not_linked"}),
        (replace(SEEN, tokens=Known((replace(TOKEN, enabled=False),))), {"token_disabled"}),
        (replace(SEEN, connected=Known((replace(EDGE, connection_state="Offline"),))), {"out_of_contact"}),
        (replace(SEEN, connected=Known((EDGE, replace(EDGE, id="edge02", name="edge02")))), {"token_shared"}),
        (replace(SEEN, missing_rights=Known(("create jobs.batch in shop",))), {"rotation_rights_missing"}),
    ],
)
def test_what_would_cut_somebody_off_stands_in_the_way(observation: RotationObservation, codes: set[str]) -> None:
    assert blockers(observation) == codes


@pytest.mark.parametrize(("used", "idle"), [PLACE.pull_secrets, PLACE.pull_secrets[::-1]])
def test_the_idle_secret_is_filled_and_the_one_in_use_goes(used: str, idle: str) -> None:
    steps = rotation_plan(SITE, REQUEST, replace(SEEN, workload=workload(pull_secret=used))).steps

    assert [(step.kind, step.params.get("secret")) for step in steps] == [
        ("pull_secret.renew", idle),
        ("client_password.accepted", None),
        ("workload.switch", idle),
        ("workload.rolled_out", None),
        ("client_password.end", used),
    ]


RENEWED = WorkloadPod("new", "n1", SPEC.image, "app@sha256:1", "running", "", "", pull_secret=PLACE.pull_secrets[0])
FORMER = replace(RENEWED, name="old", pull_secret=PLACE.pull_secrets[1])


@pytest.mark.parametrize(
    ("pods", "is_over"),
    [
        ((RENEWED,), True),
        ((replace(RENEWED, image_id="", state="waiting", reason="ContainerCreating"),), False),
        ((RENEWED, FORMER), False),
        ((RENEWED, replace(FORMER, state="waiting", reason="CrashLoopBackOff")), True),
        ((RENEWED, replace(FORMER, image_id="", state="waiting", reason="ContainerCreating")), False),
        ((RENEWED, replace(FORMER, image_id="", state="")), False),
        ((RENEWED, replace(FORMER, image_id="", state="waiting", reason="ImagePullBackOff")), True),
    ],
)
def test_the_former_password_stays_while_a_pod_runs_or_has_yet_to_pull_by_it(
    pods: tuple[WorkloadPod, ...], is_over: bool
) -> None:
    assert is_rolled_out(DeployedWorkload(SPEC, "uid", managed=True, pods=pods), 1) is is_over
