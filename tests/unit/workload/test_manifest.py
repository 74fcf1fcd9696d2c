"""What of a pasted manifest is let through, and what is refused by its place."""

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from services.model.errors import Invalid
from services.operations.workload.manifest import parse
from services.operations.workload.request import WorkloadOptions, workload_request
from tests.fuzzing import JUNK, damaged, fuzzed
from tests.golden.values import SITE

SHOP: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop", "namespace": "till", "labels": {"app": "shop"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop", "registry-bot/connected-registry": "another"}},
            "spec": {
                "imagePullSecrets": [{"name": "somebodys"}],
                "containers": [
                    {
                        "name": "web",
                        "image": "registry.example.com:5000/team/shop:v2",
                        "args": ["--port", "8080"],
                        "env": [{"name": "LANGUAGE", "value": "de"}],
                        "ports": [{"containerPort": 8080}],
                        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
                    }
                ],
                "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}],
            },
        },
    },
}
POD, CONTAINER = "spec.template.spec", "spec.template.spec.containers[0]"


def changed(path: str, value: object) -> str:
    """The manifest with one more value, at a path such as `spec.replicas`."""
    document = json.loads(json.dumps(SHOP))
    *above, last = path.replace("[0]", ".0").split(".")
    place: Any = document
    for key in above:
        place = place[int(key)] if key == "0" else place.setdefault(key, {})
    place[last] = value
    return yaml.safe_dump(document)


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        parse(text)
    return refused.value.rule, refused.value.value


def test_a_deployment_is_taken_over_with_its_image_from_the_edge_and_no_credentials() -> None:
    request = workload_request(SITE, "Edge01", WorkloadOptions(manifest=yaml.safe_dump(SHOP)))
    spec = request.spec_at("10.0.0.9", "regcred-shop-1")

    assert (spec.namespace, spec.name, spec.image, spec.replicas, spec.port) == (
        "till",
        "shop",
        "10.0.0.9/team/shop:v2",
        2,
        8080,
    )
    assert spec.labels == {"app": "shop"}
    assert spec.pod["automountServiceAccountToken"] is False
    assert spec.pod["containers"][0]["args"] == ["--port", "8080"]
    assert not {"image", "imagePullSecrets"} & {*spec.pod, *spec.pod["containers"][0]}


def test_what_the_command_says_goes_before_the_manifest() -> None:
    options = WorkloadOptions(manifest=yaml.safe_dump(SHOP), workload="till", namespace="shop", replicas=1)
    request = workload_request(SITE, "edge01", options)

    assert (request.place.namespace, request.place.name, request.replicas) == ("shop", "till", 1)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{POD}.hostNetwork", True),
        (f"{POD}.hostPID", True),
        (f"{POD}.hostIPC", False),
        (f"{POD}.nodeName", "berlin-1"),
        (f"{POD}.serviceAccountName", "admin"),
        (f"{POD}.automountServiceAccountToken", True),
        (f"{POD}.initContainers", [{"name": "x", "image": "x"}]),
        (f"{POD}.ephemeralContainers", []),
        (f"{POD}.priorityClassName", "system-node-critical"),
        (f"{POD}.tolerations", [{"operator": "Exists"}]),
        (f"{POD}.runtimeClassName", "unsafe"),
        (f"{POD}.securityContext.sysctls", [{"name": "kernel.shm_rmid_forced", "value": "0"}]),
        (f"{POD}.securityContext.seccompProfile.type", "Unconfined"),
        (f"{CONTAINER}.securityContext.privileged", True),
        (f"{CONTAINER}.securityContext.allowPrivilegeEscalation", True),
        (f"{CONTAINER}.securityContext.capabilities.add", ["SYS_ADMIN"]),
        (f"{CONTAINER}.securityContext.procMount", "Unmasked"),
        (f"{CONTAINER}.envFrom", [{"secretRef": {"name": "x"}}]),
        (f"{CONTAINER}.lifecycle", {}),
        (f"{CONTAINER}.volumeDevices", []),
        ("metadata.annotations", {"x": "y"}),
        ("metadata.finalizers", ["x"]),
        ("spec.strategy.type", "Recreate"),
    ],
)
def test_what_is_not_known_to_be_harmless_is_refused_by_its_place(path: str, value: object) -> None:
    assert refusal(changed(path, value)) == ("manifest.field", path)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (f"{POD}.volumes", [{"name": "x", "hostPath": {"path": "/"}}], f"{POD}.volumes[0].hostPath"),
        (f"{POD}.volumes", [{"name": "x", "secret": {"secretName": "y"}}], f"{POD}.volumes[0].secret"),
        (f"{POD}.volumes", [{"name": "x", "nfs": {}}], f"{POD}.volumes[0].nfs"),
        (f"{CONTAINER}.ports", [{"containerPort": 80, "hostPort": 80}], f"{CONTAINER}.ports[0].hostPort"),
        (f"{CONTAINER}.env", [{"name": "X", "valueFrom": {}}], f"{CONTAINER}.env[0].valueFrom"),
        (f"{CONTAINER}.livenessProbe", {"httpGet": {"host": "10.0.0.1"}}, f"{CONTAINER}.livenessProbe.httpGet.host"),
    ],
)
def test_the_place_of_what_is_refused_is_the_innermost_one(path: str, value: object, place: str) -> None:
    assert refusal(changed(path, value)) == ("manifest.field", place)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "manifest.number"),
        ("- a", "manifest.missing"),
        ("replicaCount: 1", "manifest.missing"),
        (changed("apiVersion", "apps/v1beta1"), "manifest.version"),
        ("kind: Deployment\nmetadata: {{- include x }}", "manifest.template"),
        (changed(f"{CONTAINER}.image", "{{ .Values.image }}"), "manifest.template"),
        ("kind: Pod", "manifest.kind"),
        (f"{yaml.safe_dump(SHOP)}---\nkind: Secret", "manifest.kind"),
        (f"{yaml.safe_dump(SHOP)}---\n{yaml.safe_dump(SHOP)}", "manifest.number"),
        ("a: &x [1]\nb: *x", "manifest.alias"),
        ("a: " + "[" * 500, "manifest.alias"),
        ("kind: Deployment\nkind: Pod", "manifest.twice"),
        ("a: !!python/object/apply:os.system [ls]", "manifest.yaml"),
        ("a: {", "manifest.yaml"),
        ("\x00", "manifest.yaml"),
        ("x" * 20_000, "manifest.length"),
        (changed(f"{CONTAINER}.args", ["xoxb-1234-5678"]), "manifest.secret"),
        (changed(f"{CONTAINER}.env", [{"name": "DB_PASSWORD", "value": "hunter2"}]), "manifest.secret"),
        (changed(f"{CONTAINER}.command", [None]), "manifest.type"),
        (changed("metadata.namespace", 7), "manifest.type"),
        (changed("metadata.name", ""), "manifest.missing"),
        (changed(f"{POD}.containers", []), "manifest.containers"),
        (changed("spec.replicas", "two"), "manifest.type"),
    ],
)
def test_what_is_no_single_deployment_is_refused(text: str, rule: str) -> None:
    assert refusal(text)[0] == rule


def test_what_kubectl_writes_by_itself_is_no_wish_of_anybody() -> None:
    served = json.loads(json.dumps(SHOP)) | {"status": {"replicas": 2}}
    served["metadata"] |= {
        "uid": "x",
        "annotations": {"deployment.kubernetes.io/revision": "1"},
        "creationTimestamp": "2026-11-30T10:00:00Z",
    }
    served["spec"] |= {"strategy": {"type": "RollingUpdate"}, "revisionHistoryLimit": 10}
    served["spec"]["template"]["metadata"]["creationTimestamp"] = None

    assert parse(yaml.safe_dump(served)) == parse(yaml.safe_dump(SHOP))


def test_a_manifest_is_read_as_a_chat_or_a_page_has_it() -> None:
    text = yaml.safe_dump(SHOP)

    assert parse(f"```yaml\n{text}```") == parse(text.replace(" ", "\u00a0")) == parse(text)


@fuzzed
@given(st.one_of(damaged(SHOP), JUNK))
@example(SHOP | {"spec": True})
def test_whatever_is_pasted_is_let_through_whole_or_refused(document: object) -> None:
    with suppress(Invalid):
        assert parse(yaml.dump(document)).pod["automountServiceAccountToken"] is False
