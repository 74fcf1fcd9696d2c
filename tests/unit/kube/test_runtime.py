"""Which Pod speaks for the runtime, and what its status says."""

from typing import Any

import pytest

from services.gateways.kubernetes.nodes import node
from services.gateways.kubernetes.runtime import ending, newest, waiting_reason


def pod(name: str, at: int, owner: str = "ReplicaSet", **meta: Any) -> dict[str, Any]:
    owners = [{"kind": owner, "name": "x"}]
    return {
        "metadata": {"name": name, "creationTimestamp": f"2026-09-01T08:00:0{at}Z", "ownerReferences": owners} | meta
    }


def test_the_youngest_pod_speaks() -> None:
    assert newest([pod("old", 1), pod("new", 2)])["metadata"]["name"] == "new"


def test_a_pod_on_its_way_out_speaks_only_when_it_is_alone() -> None:
    leaving = pod("new", 2, deletionTimestamp="2026-09-01T08:00:03Z")

    assert newest([pod("old", 1), leaving])["metadata"]["name"] == "old"


def test_the_pods_that_distribute_trust_do_not_speak_for_the_runtime() -> None:
    assert newest([pod("registry", 1), pod("trust", 2, "DaemonSet")])["metadata"]["name"] == "registry"
    assert newest([pod("trust", 2, "DaemonSet")]) == {}


def test_no_pod_is_an_empty_one() -> None:
    assert newest([]) == {}


def test_a_container_that_waits_tells_why() -> None:
    status = {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}

    assert waiting_reason({"status": status}) == "CrashLoopBackOff"


def test_a_pod_without_a_node_is_unschedulable() -> None:
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]

    assert waiting_reason({"status": {"conditions": conditions}}) == "Unschedulable"


def test_a_container_that_was_ended_and_started_again_keeps_the_reason() -> None:
    states = {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "OOMKilled"}},
    }

    assert ending({"status": {"containerStatuses": [states]}})["reason"] == "OOMKilled"


def test_a_pod_that_its_node_evicted_says_so_although_its_containers_do_not() -> None:
    ended = {"state": {"terminated": {"exitCode": 137, "reason": "Error"}}}
    status = {"phase": "Failed", "reason": "Evicted", "containerStatuses": [ended]}

    assert waiting_reason({"status": status}) == "Evicted"


@pytest.mark.parametrize(
    ("spec", "conditions", "troubles"),
    [
        ({}, {"Ready": "True", "DiskPressure": "False"}, ()),
        ({"unschedulable": True}, {"Ready": "True"}, ("SchedulingDisabled",)),
        ({}, {"Ready": "True", "DiskPressure": "True"}, ("DiskPressure",)),
        ({}, {"Ready": "Unknown"}, ("NotReady",)),
        ({}, {}, ("NotReady",)),
    ],
)
def test_a_node_that_takes_no_pods_says_why(
    spec: dict[str, Any], conditions: dict[str, str], troubles: tuple[str, ...]
) -> None:
    status = {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]}
    shown = node({"metadata": {"name": "n1"}, "spec": spec, "status": status})

    assert (shown.ready, shown.troubles) == (not troubles, troubles)
