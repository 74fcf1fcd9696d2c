"""Which Pod speaks for the runtime, and what its status says."""

from typing import Any

from services.gateways.kubernetes.runtime import ended_reason, newest, waiting_reason


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

    assert ended_reason({"status": {"containerStatuses": [states]}}) == "OOMKilled"
