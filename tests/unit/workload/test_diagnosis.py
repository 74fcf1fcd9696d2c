"""Why a workload does not run, from what nodes and cluster say of it."""

from dataclasses import replace

import pytest

from services.model.kubernetes import DeployedWorkload, WorkloadPod, WorkloadSpec
from services.operations.workload.diagnosis import diagnose
from services.operations.workload.words import Cause

IMAGE = "10.96.0.2/hello-world:latest"
FRAME = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '
POD = WorkloadPod("hello-1", "berlin-1", IMAGE, "", "waiting", "ImagePullBackOff", "")
SPEC = WorkloadSpec("default", "hello-world", "edge01", IMAGE, 1, None, "regcred-hello-world-1")


def of(*pods: WorkloadPod, refusal: str = "") -> DeployedWorkload:
    return DeployedWorkload(SPEC, "uid", managed=True, pods=pods, refusal=refusal)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            f"{FRAME}tls: failed to verify certificate: x509: certificate signed by unknown authority",
            Cause.UNTRUSTED_CERTIFICATE,
        ),
        (f"{FRAME}tls: x509: certificate has expired or is not yet valid", Cause.CERTIFICATE_INVALID),
        (f"{FRAME}tls: x509: certificate is valid for 10.96.0.3, not 10.96.0.2", Cause.CERTIFICATE_INVALID),
        (f"{FRAME}tls: x509: cannot validate certificate for 10.96.0.2: no IP SANs", Cause.CERTIFICATE_INVALID),
        (f"{FRAME}proxyconnect tcp: dial tcp 10.1.1.1:3128: i/o timeout", Cause.NODE_PROXY),
        (f"{FRAME}http: server gave HTTP response to HTTPS client", Cause.PLAIN_HTTP),
        (f"{FRAME}failed to authorize: failed to fetch oauth token: 401 Unauthorized", Cause.PULL_UNAUTHORIZED),
        (f"{FRAME}pull access denied: server message: insufficient_scope", Cause.PULL_UNAUTHORIZED),
        (f"{FRAME}unauthorized: authentication required", Cause.PULL_UNAUTHORIZED),
        (f"{FRAME}{IMAGE}: not found", Cause.IMAGE_NOT_AT_EDGE),
        (f"{FRAME}blob unknown to registry", Cause.IMAGE_NOT_AT_EDGE),
        (f"{FRAME}unexpected status from HEAD request: 503 Service Unavailable", Cause.EDGE_UNREACHABLE),
        (f"{FRAME}failed to do request: dial tcp 10.96.0.2:443: i/o timeout", Cause.EDGE_UNREACHABLE),
        (
            f'failed to pull and unpack image "{IMAGE}": no match for platform in manifest: not found',
            Cause.WRONG_ARCHITECTURE,
        ),
        (
            f'choosing an image from manifest list docker://{IMAGE}: no image found in manifest list for architecture "arm64"',
            Cause.WRONG_ARCHITECTURE,
        ),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", Cause.WRONG_ARCHITECTURE),
        (f"{FRAME}unexpected end", Cause.PULL_FAILED),
    ],
)
def test_the_words_of_the_node_tell_the_cause(text: str, cause: Cause) -> None:
    newer = replace(POD, message=f'Back-off pulling image "{IMAGE}": ErrImagePull: {text}')
    older = replace(
        POD, message=f'Back-off pulling image "{IMAGE}"', warnings=(f"Failed: {text}", "Failed: Error: ErrImagePull")
    )

    for pod in (newer, older):
        failure = diagnose(of(pod))
        assert failure
        assert failure.cause == cause


def test_every_node_that_does_not_trust_the_certificate_is_named() -> None:
    refused = replace(POD, message="x509: certificate signed by unknown authority")
    failure = diagnose(of(refused, replace(refused, name="hello-2", node="berlin-2"), replace(refused, name="hello-3")))

    assert failure
    assert failure.facts["nodes"] == ("berlin-1", "berlin-2")


def test_a_program_for_another_processor_is_the_cause_though_it_was_pulled() -> None:
    ended = replace(POD, reason="CrashLoopBackOff", exit_code=255, log="exec /hello: exec format error\n")
    failure = diagnose(of(ended))

    assert failure
    assert (failure.cause, failure.facts["message"]) == (Cause.WRONG_ARCHITECTURE, "exec /hello: exec format error")


def test_a_program_that_ends_by_itself_is_no_failure() -> None:
    assert diagnose(of(replace(POD, reason="CrashLoopBackOff", exit_code=0))) is None
    assert diagnose(of(replace(POD, reason="CrashLoopBackOff", exit_code=1, log="bad argument\n"))) is None


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        (
            'pods "hello-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5',
            Cause.QUOTA_EXCEEDED,
        ),
        ('pods "hello-x" is forbidden: violates PodSecurity "restricted:latest"', Cause.PODS_REFUSED),
    ],
)
def test_a_cluster_that_makes_no_pods_says_why(refusal: str, cause: Cause) -> None:
    failure = diagnose(of(refusal=refusal))

    assert failure
    assert (failure.cause, failure.facts["message"]) == (cause, refusal)


def test_a_pod_without_a_node_has_none_that_takes_it() -> None:
    failure = diagnose(of(replace(POD, node="", reason="Unschedulable", message="0/1 nodes are available")))

    assert failure
    assert failure.cause == Cause.NO_NODE


def test_an_evicted_pod_is_a_cause_only_where_no_other_one_is_in_its_place() -> None:
    evicted = replace(POD, state="failed", reason="Evicted", message="The node was low on resource: memory.")
    failure = diagnose(of(evicted))

    assert failure
    assert (failure.cause, failure.facts["message"]) == (Cause.NO_NODE, f"Evicted: {evicted.message}")
    assert diagnose(of(evicted, replace(POD, name="hello-2", reason="ContainerCreating"))) is None


def test_a_container_that_the_node_cannot_start_says_why() -> None:
    missing = replace(POD, reason="CreateContainerConfigError", message='configmap "till" not found')
    failure = diagnose(of(missing))

    assert failure
    assert (failure.cause, failure.facts["message"]) == (Cause.NOT_STARTED, 'configmap "till" not found')


def test_a_pod_that_was_being_made_until_the_end_is_told_by_its_events() -> None:
    slow = of(replace(POD, reason="ContainerCreating", warnings=("FailedMount: no such volume",)))
    failure = diagnose(slow, last=True)

    assert failure
    assert (failure.cause, failure.facts["message"]) == (Cause.NOT_STARTED, "FailedMount: no such volume")
    assert diagnose(slow) is None


def test_a_pod_that_is_being_made_is_no_failure() -> None:
    assert diagnose(of(replace(POD, reason="ContainerCreating"))) is None
    assert diagnose(of()) is None
