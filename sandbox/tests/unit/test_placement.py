"""Which node takes a Pod, and why others do not."""

from typing import Any

import pytest

from sandbox import placement

AMD64 = {"nodeSelector": {"kubernetes.io/arch": "amd64"}}


def node(name: str, arch: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/arch": arch}}, **more}


def tainted(key: str, version: str = "v1.33.4") -> dict[str, Any]:
    taints = [{"key": key, "effect": "NoSchedule"}]
    return node("a", "amd64", spec={"taints": taints}, status={"nodeInfo": {"kubeletVersion": version}})


def test_a_pod_goes_to_the_first_node_that_its_selector_fits() -> None:
    assert placement.node_for(AMD64, [node("a", "arm64"), node("b", "amd64")]) == "b"


def test_no_node_takes_a_pod_that_none_fits() -> None:
    assert placement.node_for(AMD64, [node("a", "arm64")]) is None


def test_the_pod_of_a_daemon_set_goes_to_the_node_that_it_was_made_for_although_it_is_not_well() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["a"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    spec = {"affinity": affinity, "tolerations": placement.DAEMON_TOLERATIONS}

    assert placement.node_for(spec, [node("b", "amd64"), tainted("node.kubernetes.io/disk-pressure")]) == "a"
    assert placement.node_for(spec, [node("a", "amd64", spec={"unschedulable": True})]) == "a"


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([tainted("gpu")], "1 node(s) had untolerated taint {gpu: }"),
        ([tainted("gpu", "v1.35.0")], "1 node(s) had untolerated taint(s)"),
        (
            [node("a", "amd64", spec={"unschedulable": True}), node("b", "arm64"), node("c", "arm64")],
            "1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector",
        ),
    ],
)
def test_the_reasons_of_all_nodes_are_summed_up(nodes: list[dict[str, Any]], text: str) -> None:
    assert placement.refusals(AMD64, nodes) == text


@pytest.mark.parametrize(("effect", "node_name"), [("NoSchedule", "a"), ("NoExecute", None)])
def test_a_pod_that_tolerates_a_taint_goes_there(effect: str, node_name: str | None) -> None:
    spec = {"tolerations": [{"key": "gpu", "operator": "Exists", "effect": effect}]}

    assert placement.node_for(spec, [tainted("gpu")]) == node_name
