"""Which cause is told for what Azure and the cluster show."""

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.views.causes import CAUSES as ENGINE_CAUSES
from handlers.views.causes import render
from handlers.views.errors import explanation
from handlers.views.facts import UNKNOWN
from handlers.views.procedures.deploy_causes import CAUSES
from services.model.azure import ArcCluster, ConnectedRegistry, Extension, ExtensionStatus, StatusDetail, Token
from services.model.errors import (
    Absent,
    AddressOutside,
    AddressTaken,
    Conflict,
    Failure,
    NotAllowed,
    NotAuthenticated,
    Refused,
    Throttled,
    Unreachable,
)
from services.model.kubernetes import Runtime
from services.operations.causes import EngineCause, ImageCause
from services.operations.deploy.causes import Cause
from services.operations.deploy.diagnosis import diagnose

Seen = dict[str, Any]
TOLD = ("azure", "/x", "Code", "words")
NAMES = {
    "name": "edge01",
    "site": "berlin",
    "registry": "contosoacr",
    "group": "edge-rg",
    "subscription": "00000000-0000-0000-0000-000000000000",
    "cluster_subscription": "00000000-0000-0000-0000-000000000000",
    "hosts": ("contosoacr-a1b2.azurecr.cn",),
}


def failed(*texts: str, state: str = "Failed") -> Seen:
    """An extension with these problems."""
    problems = tuple(ExtensionStatus("InstallationFailed", text) for text in texts)
    settings = {"service.clusterIP": "10.96.0.20"}
    return {"extension": Extension("/x", "edge01", "type", state, settings, problems=problems)}


def helm(text: str) -> Seen:
    """A failure of Helm, as the extension manager words it."""
    return failed(
        f"Error: {{failed to install chart from path [] for release [edge01]: err [{text}]}} occurred while doing the "
        "operation : {Installing the extension} on the config"
    )


def pod(**values: Any) -> Seen:
    """A runtime, while the extension is being created."""
    return failed(state="Creating") | {"runtime": Runtime(namespace_phase="Active", **values)}


def log(text: str, **more: Any) -> Seen:
    return (
        pod(pod_phase="Running", log=f"2026-09-01T08:00:00Z [INF] Activating.\n2026-09-01T08:00:01Z [ERR] {text}\n")
        | more
    )


def connected(state: str = "Offline", *details: StatusDetail) -> ConnectedRegistry:
    fixed = ("/c", "edge01", "ReadOnly", state, "Inactive", "Succeeded", "/t", "* * * * *", None, None)
    return ConnectedRegistry(*fixed, status_details=details)


def arc(connectivity: str) -> Seen:
    return {"cluster": ArcCluster("/arc", "berlin-arc", "westeurope", connectivity, datetime(2026, 9, 1, tzinfo=UTC))}


IMPORTED = 'in namespace "" exists and cannot be imported into the current release: invalid ownership metadata'
CONFLICT = f'Unable to continue with install: CustomResourceDefinition "certificaterequests.cert-manager.io" {IMPORTED}'
UNAUTHORIZED = 'HTTP body: {"errors":[{"code":"UNAUTHORIZED","message":"Incorrect Password."}]}'

CASES: tuple[tuple[str, Seen], ...] = (
    ("address_taken", helm("failed to allocate IP 10.96.0.20: provided IP is already allocated")),
    ("address_taken", {"error": AddressTaken(*TOLD, address="10.96.0.20")}),
    (
        "address_outside",
        helm(
            "failed to allocate IP 10.97.0.100: the provided IP (10.97.0.100) is not in the valid range. "
            "The range of valid IPs is 10.96.0.0/16"
        ),
    ),
    ("address_outside", {"error": AddressOutside(*TOLD, address="10.97.0.1", ranges=("10.96.0.0/16",))}),
    (
        "storage_pending",
        pod(volume_phase="Pending", volume_class="fast", pod_phase="Pending", waiting_reason="Unschedulable")
        | {
            "runtime": Runtime(
                volume_phase="Pending",
                volume_class="fast",
                pod_phase="Pending",
                warnings=('ProvisioningFailed: storageclass.storage.k8s.io "fast" not found',),
            )
        },
    ),
    (
        "unschedulable",
        pod(
            pod_phase="Pending",
            waiting_reason="Unschedulable",
            warnings=("FailedScheduling: 0/1 nodes are available: 1 Insufficient memory.",),
        ),
    ),
    (
        "no_amd64_node",
        pod(
            pod_phase="Pending",
            waiting_reason="Unschedulable",
            warnings=(
                "FailedScheduling: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            ),
        ),
    ),
    ("no_amd64_node", log("exec /connected-registry: exec format error")),
    *(
        (
            word,
            pod(
                pod_phase="Pending",
                waiting_reason="Unschedulable",
                volume_class="fast",
                warnings=(f"FailedScheduling: 0/2 nodes {text}",),
            ),
        )
        for word, text in (
            (
                "unschedulable",
                "are available: 1 Insufficient memory, 1 node(s) didn't match Pod's node affinity/selector.",
            ),
            ("unschedulable", "are available: 2 node(s) had untolerated taint {dedicated: gpu}."),
            ("node_condition", "are available: 2 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }."),
            ("node_condition", "are available: 2 node(s) were unschedulable."),
            ("unschedulable", "are available: 2 node(s) had untolerated taint(s)."),
            ("volume_elsewhere", "are available: 2 node(s) had volume node affinity conflict."),
            ("volume_elsewhere", "are available: 2 node(s) didn't match PersistentVolume's node affinity."),
            ("volume_lost", "are unavailable due to one or more pvc(s) bound to non-existent pv(s)."),
            ("storage_pending", "are available: 2 node(s) did not have enough free storage."),
            ("storage_pending", "are available: 2 node(s) didn't find available persistent volumes to bind."),
        )
    ),
    (
        "node_condition",
        pod(
            pod_phase="Pending",
            waiting_reason="Unschedulable",
            unfit_nodes=("n1 (DiskPressure)",),
            warnings=("FailedScheduling: 0/1 nodes are available: 1 node(s) had untolerated taint(s).",),
        ),
    ),
    *(
        (word, pod(pod_phase="Failed", waiting_reason=reason, pod_message=text))
        for word, reason, text in (
            ("node_condition", "Evicted", "The node was low on resource: memory."),
            ("node_condition", "Terminated", "Pod was terminated in response to imminent node shutdown."),
            ("unschedulable", "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu"),
        )
    ),
    ("volume_lost", pod(volume_phase="Lost", pod_phase="Running")),
    ("volume_deleted", pod(volume_phase="Terminating", pod_phase="Running")),
    (
        "volume_deleted",
        pod(
            pod_phase="Pending",
            waiting_reason="Unschedulable",
            warnings=('FailedScheduling: 0/1 nodes are available: persistentvolumeclaim "x" not found.',),
        ),
    ),
    ("node_condition", pod(pod_phase="Failed", warnings=("Evicted: The node was low on resource: memory.",))),
    *(
        ("pods_refused", pod(warnings=(f"FailedCreate: Error creating: {text}",)))
        for text in (
            'pods "x" is forbidden: exceeded quota: compute, requested: limits.cpu=1',
            'admission webhook "validation.gatekeeper.sh" denied the request: no',
            'pods "x" is forbidden: unable to validate against any security context constraint',
            'Pod "x" is invalid: spec.containers[0].resources.requests: must be less than or equal to cpu limit',
        )
    ),
    (
        "pod_not_started",
        pod(
            pod_phase="Pending", waiting_reason="CreateContainerConfigError", warnings=('Failed: secret "x" not found',)
        ),
    ),
    (
        "pod_not_started",
        pod(pod_phase="Pending", waiting_reason="ContainerCreating", warnings=("FailedMount: no such Secret",))
        | {"last": True},
    ),
    (
        "out_of_memory",
        pod(
            pod_phase="Running",
            waiting_reason="CrashLoopBackOff",
            restarts=3,
            ended_reason="OOMKilled",
            log="Starting.",
        ),
    ),
    ("out_of_memory", pod(pod_phase="Running", restarts=2, ended_reason="OOMKilled") | {"last": True}),
    (
        "pod_not_ready",
        pod(pod_phase="Running", warnings=("Unhealthy: Readiness probe failed: HTTP probe failed: 503",))
        | {"last": True},
    ),
    ("pod_security", pod(warnings=('FailedCreate: pods "x" is forbidden: violates PodSecurity "restricted:latest"',))),
    ("image_pull", pod(pod_phase="Pending", waiting_reason="ImagePullBackOff", warnings=("Failed: i/o timeout",))),
    (
        "pull_throttled",
        pod(
            pod_phase="Pending",
            waiting_reason="ErrImagePull",
            warnings=('Failed: Failed to pull image "x": pulling from host mcr.microsoft.com: 429 Too Many Requests',),
        ),
    ),
    ("bad_password", log(UNAUTHORIZED)),
    ("disk_error", log("UnauthorizedAccessException: Access to the path '/var/acr/data' is denied.")),
    ("token_disabled", log(UNAUTHORIZED, token=Token("/t", "edge01", "/s", enabled=False))),
    ("bad_connection_string", log("The connection string can't be used: it has no ParentGatewayEndpoint.")),
    (
        "already_activated",
        pod(
            pod_phase="Running",
            waiting_reason="CrashLoopBackOff",
            previous_log='HTTP body: {"errors":[{"code":"ALREADY_ACTIVATED"}]}',
        )
        | {"connected": connected()},
    ),
    ("proxy", log("proxyconnect tcp: dial tcp 10.1.2.3:3128: connect: connection refused")),
    ("proxy", failed('Get "https://mcr.microsoft.com/v2/": Proxy Authentication Required')),
    ("tls_inspected", log("tls: failed to verify certificate: x509: certificate signed by unknown authority")),
    ("tls_inspected", log("invalid because of errors in the certificate chain: PartialChain")),
    ("tls_inspected", log("x509: certificate is valid for *.corp.example, not contosoacr.azurecr.io")),
    ("wrong_time", log("x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z")),
    ("wrong_time", log("invalid because of errors in the certificate chain: NotTimeValid")),
    ("network_rules", log('{"code":"DENIED","message":"client with IP \'192.0.2.7\' is not allowed access."}')),
    ("proxy", log("The proxy tunnel request to proxy 'http://10.1.1.1:3128/' failed with status code '407'.")),
    ("firewall", log("HttpRequestException: No route to host (contosoacr.azurecr.io:443)")),
    ("firewall", log("The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.")),
    *(
        ("name_not_resolved", log(text))
        for text in (
            "dial tcp: lookup contosoacr.azurecr.io on 10.96.0.10:53: read udp 10.244.0.5:4567: i/o timeout",
            "dial tcp: lookup contosoacr.azurecr.io on 10.96.0.10:53: no such host",
            "HttpRequestException: Name or service not known (contosoacr.azurecr.io:443)",
            "HttpRequestException: Resource temporarily unavailable (contosoacr.azurecr.io:443)",
        )
    ),
    ("firewall", log("dial tcp: lookup contosoacr.westeurope.data.azurecr.io: i/o timeout")),
    (
        "disk_error",
        {
            "connected": connected(
                "Unhealthy", StatusDetail("Disk", "DiskError", "There is not enough space on the disk.")
            )
        },
    ),
    ("unhealthy", {"connected": connected("Unhealthy", StatusDetail("Sync", "SyncError", "It is behind."))}),
    ("crashing", pod(pod_phase="Running", waiting_reason="CrashLoopBackOff", restarts=4, previous_log="panic: oh\n")),
    (
        "probe_failed",
        pod(
            pod_phase="Running",
            waiting_reason="CrashLoopBackOff",
            exit_code=137,
            log="Listening.",
            warnings=("Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500",),
        ),
    ),
    ("pod_not_ready", pod(pod_phase="Unknown", warnings=("NodeNotReady: Node is not ready",)) | {"last": True}),
    ("crashing_silently", pod(pod_phase="Running", waiting_reason="CrashLoopBackOff", restarts=4, exit_code=139)),
    (
        "crashing",
        helm("timed out waiting for the condition")
        | {
            "runtime": Runtime(
                pod_phase="Running", waiting_reason="CrashLoopBackOff", ended_message="exec: no such file"
            )
        },
    ),
    ("data_endpoint_off", {"error": Refused("azure", "/x", "Code", "The dedicated data endpoint must be enabled.")}),
    ("cert_manager_conflict", helm(CONFLICT)),
    ("cert_manager_absent", helm('no matches for kind "Certificate" in version "cert-manager.io/v1"')),
    (
        "ownership_conflict",
        helm(f'Unable to continue with install: Service "connected-registry" {IMPORTED}'),
    ),
    ("ownership_conflict", helm(f'Unable to continue with update: Service "connected-registry" {IMPORTED}')),
    (
        "release_left",
        helm(
            f'Unable to continue with install: Service "connected-registry" {IMPORTED}; annotation validation error: key'
            ' "meta.helm.sh/release-name" must equal "edge01": current value is "edge00"'
        ),
    ),
    ("name_in_use", helm("cannot re-use a name that is still in use")),
    ("name_in_use", helm('failed to create: secrets "sh.helm.release.v1.edge01.v1" already exists')),
    ("release_failed", helm('"edge01" has no deployed releases')),
    ("release_busy", helm("another operation (install/upgrade/rollback) is in progress")),
    ("unchangeable", helm('Deployment.apps "connected-registry" is invalid: spec.selector: field is immutable')),
    ("unchangeable", helm('PersistentVolumeClaim "x" is invalid: spec: Forbidden: spec is immutable after creation')),
    (
        "webhook_unreachable",
        helm('failed calling webhook "webhook.cert-manager.io": x509: certificate signed by unknown authority'),
    ),
    (
        "webhook_unreachable",
        helm("conversion webhook for cert-manager.io/v1, Kind=Issuer failed: Post x: connection refused"),
    ),
    (
        "admission_denied",
        helm("services \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"),
    ),
    (
        "admission_denied",
        {
            "error": Refused(
                "kubernetes", "/x", "Forbidden", 'admission webhook "validation.gatekeeper.sh" denied the request: no'
            )
        },
    ),
    (
        "quota_exceeded",
        helm('persistentvolumeclaims "x" is forbidden: maximum storage usage per PersistentVolumeClaim is 50Gi'),
    ),
    ("pull_throttled", helm("pulling from host mcr.microsoft.com failed: 429 Too Many Requests")),
    ("quota_exceeded", helm('persistentvolumeclaims "x" is forbidden: exceeded quota: claims, requested: x=1')),
    ("admission_denied", helm('admission webhook "validate.kyverno.svc-fail" denied the request: blocked')),
    (
        "namespace_terminating",
        helm("unable to create new content in namespace connected-registry because it is being terminated"),
    ),
    ("namespace_held", {"runtime": Runtime("Terminating", namespace_message="finalizers remaining: example.com/hold")}),
    ("namespace_terminating", {"runtime": Runtime(namespace_phase="Terminating")}),
    ("chart_not_found", helm("chart path not found")),
    (
        "status_not_populated",
        failed(
            " error: Unable to get the status from the local CRD with the error : "
            "{Error : Retry for given duration didn't get any results with err {status not populated}}"
        ),
    ),
    (
        "write_race",
        helm(
            'Operation cannot be fulfilled on extensionconfigs.clusterconfig.azure.com "edge01": the object has been '
            "modified; please apply your changes to the latest version and try again"
        ),
    ),
    (
        "provider_missing",
        {
            "error": Conflict(
                "azure",
                "/x",
                "MissingSubscriptionRegistration",
                "The subscription is not registered to use namespace 'Microsoft.KubernetesConfiguration'.",
            )
        },
    ),
    ("cluster_offline", arc("Offline") | failed(state="Creating")),
    ("cluster_expired", arc("Expired")),
    ("cluster_no_agents", arc("AgentNotInstalled")),
    ("installation_timed_out", helm("timed out waiting for the condition")),
    (
        "installation_timed_out",
        helm("pre-install hooks failed: 1 error occurred: * job x failed: BackoffLimitExceeded"),
    ),
    ("installation_timed_out", helm("failed pre-install: pod healthcheck failed")),
    ("installation_failed", helm("chart requires kubeVersion: >=1.28.0 which is incompatible with Kubernetes v1.25.3")),
    ("silent_failure", failed()),
    ("timed_out", {"error": Unreachable("azure", "/x", "DeadlineExceeded")}),
    ("unreachable", {"error": Unreachable("azure", "/x", "ServiceUnavailable", "busy")}),
    ("not_authenticated", {"error": NotAuthenticated(*TOLD)}),
    ("not_allowed", {"error": NotAllowed(*TOLD, action="list pods in connected-registry")}),
    ("throttled", {"error": Throttled(*TOLD)}),
    ("absent", {"error": Absent(*TOLD)}),
    ("conflict", {"error": Conflict(*TOLD)}),
    ("refused", {"error": Refused(*TOLD)}),
)
OF_THE_RUN = {
    Cause.ADDRESS_LEASED,
    Cause.ADDRESS_RANGE_FULL,
    Cause.ADDRESS_RACE,
    Cause.LISTED_ADDRESS_TAKEN,
    Cause.LISTED_ADDRESS_OUTSIDE,
    Cause.LISTED_ADDRESSES_USED,
    Cause.STATED_CERT_MANAGER_CONFLICT,
    Cause.STATED_CERT_MANAGER_ABSENT,
    EngineCause.STEP_TIMED_OUT,
    EngineCause.INTERRUPTED,
    EngineCause.CHILDREN_FAILED,
    Cause.GATEWAY_UNKNOWN,
    EngineCause.DEFECT,
}
"""What the run of an operation says of itself; nothing outside shows it."""
GOING_ON: dict[str, Seen] = {
    "nothing is known": {},
    "the extension is being created": failed(state="Creating"),
    "the volume waits for its first Pod": pod(volume_phase="Pending"),
    "the Pod starts": pod(pod_phase="Pending", waiting_reason="ContainerCreating"),
    "the Pod pulls its image for long": pod(pod_phase="Pending", waiting_reason="ContainerCreating") | {"last": True},
    "the Pod waits for its Secret": pod(
        pod_phase="Pending", waiting_reason="ContainerCreating", warnings=("FailedMount: no such Secret",)
    ),
    "another Pod was evicted": pod(
        pod_phase="Pending", waiting_reason="ContainerCreating", warnings=("Evicted: The node was low on memory.",)
    ),
    "Pods were refused before, and one is there": pod(
        pod_phase="Pending",
        waiting_reason="ContainerCreating",
        warnings=('FailedCreate: pods "x" is forbidden: violates PodSecurity "restricted:latest"',),
    ),
    "the log tells of an error that has passed": log(UNAUTHORIZED, connected=connected("Online")),
    "the cluster is connecting": arc("Connecting"),
    "the cluster is in a state that nobody knows": arc("Dormant"),
    "everything is fine": failed(state="Succeeded") | {"connected": connected("Online")} | arc("Connected"),
}


def cause(seen: Seen) -> Failure:
    found = diagnose(**seen)
    assert found is not None
    return found


@pytest.mark.parametrize(("word", "seen"), CASES, ids=[word for word, _ in CASES])
def test_what_is_seen_has_its_cause(word: str, seen: Seen) -> None:
    assert cause(seen).cause == word


@pytest.mark.parametrize(("word", "seen"), CASES, ids=[word for word, _ in CASES])
def test_a_cause_reads_without_a_gap(word: str, seen: Seen) -> None:
    failure, known = cause(seen), {**CAUSES, **ENGINE_CAUSES}[word]
    words = render(failure, "deploy", NAMES)

    assert UNKNOWN not in words.sentence + words.remedy
    assert bool(words.line) == bool(known.line)
    # A command that needs something of the failure, such as an extension that is there, is left out without it.
    assert bool(words.command) == bool(known.command and (not known.needs or failure.facts.get(known.needs)))


@pytest.mark.parametrize("seen", GOING_ON.values(), ids=GOING_ON.keys())
def test_nothing_is_told_while_it_is_still_going(seen: Seen) -> None:
    assert diagnose(**seen) is None


def test_every_cause_is_found_in_some_world() -> None:
    assert {word for word, _ in CASES} == {*Cause, *EngineCause} - OF_THE_RUN


def test_every_cause_has_a_sentence_and_a_remedy() -> None:
    assert set(CAUSES) == {*Cause, *ImageCause}
    assert set(ENGINE_CAUSES) == set(EngineCause)
    assert all(words.sentence and (words.remedy or words.retry) for words in {**CAUSES, **ENGINE_CAUSES}.values())


def test_a_cause_of_another_version_is_told_by_its_word() -> None:
    assert render(Failure("moon_phase")).sentence == "It failed: `moon_phase`."


def test_a_failure_is_passed_on_as_it_is() -> None:
    failure = Failure("silent_failure")

    assert diagnose(error=failure) is failure


def test_what_the_other_system_said_is_not_dropped() -> None:
    words = render(cause({"error": NotAuthenticated(*TOLD)})), render(cause({"error": NotAllowed(*TOLD)}))

    assert ["words" in text.sentence for text in words] == [True, True]
    assert UNKNOWN not in words[1].sentence


def test_a_context_that_is_missing_is_not_told_as_a_cluster_that_may_answer_later() -> None:
    error = Unreachable("kubernetes", "kubeconfig paris", "ContextMissing")

    assert "no such context" in render(cause({"error": error})).sentence
    assert "no such context" in explanation(error)


def test_the_pods_own_words_win_over_azures_failure() -> None:
    assert cause(helm("timed out waiting for the condition") | {"runtime": log(UNAUTHORIZED)["runtime"]}).cause == (
        "bad_password"
    )


def test_the_newest_line_of_the_log_decides() -> None:
    text = "dial tcp: i/o timeout\n[ERR] ALREADY_ACTIVATED\n"

    assert cause(pod(pod_phase="Running", log=text)).cause == "already_activated"


def test_a_right_that_the_bot_lacks_wins_over_what_the_registry_shows() -> None:
    assert cause(log(UNAUTHORIZED, error=NotAllowed(*TOLD, action="x"))).cause == "not_allowed"


def test_a_failure_carries_the_correlation_id() -> None:
    assert cause({"error": Refused(*TOLD, correlation_id="c0ffee")}).correlation_id == "c0ffee"


def test_a_pull_is_told_by_the_nodes_own_words_and_not_by_its_waiting() -> None:
    text = 'Failed: Failed to pull image "x": no space left on device'
    seen = pod(
        pod_phase="Pending", waiting_reason="ImagePullBackOff", warnings=(text, "Failed: Error: ImagePullBackOff")
    )

    assert cause(seen).facts["message"] == text


def test_warnings_of_a_volume_that_is_bound_by_now_are_old() -> None:
    seen = pod(volume_phase="Bound", pod_phase="Pending", warnings=("FailedBinding: no persistent volumes available",))

    assert diagnose(**seen) is None
