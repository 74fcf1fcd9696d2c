"""Defaults and validation of objects, kind by kind."""

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.kube import names
from sandbox.kube.addresses import list_text
from sandbox.kube.resources import Json, Key, Resource, copied
from sandbox.kube.selectors import selector_matches
from sandbox.kube.status import FieldError, StatusError, Verbatim, bad_request, required, unsupported, wrong

IMMUTABLE = "field is immutable"
WITH_GENERATION = {
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "jobs",
    "customresourcedefinitions",
    "ingresses",
    "networkpolicies",
    "poddisruptionbudgets",
}
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def is_default_class(storage_class: Json) -> bool:
    """Whether claims that name no storage class get this one."""
    return (storage_class["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"


def defaulted(resource: Resource, body: Json) -> Json:
    """The object with the API server's defaults; `body` may be modified."""
    if resource.custom:
        return body
    if fill := _DEFAULTS.get(resource.key):
        fill(body)
    return body


def errors(resource: Resource, body: Json, *, minor: int) -> list[FieldError]:
    """What is wrong with an object, whether new or changed."""
    if resource.custom:
        return []
    check = _CHECKS.get(resource.key)
    return check(body, minor) if check else []


def change_errors(resource: Resource, old: Json, new: Json, *, minor: int) -> list[FieldError]:
    """The changes that are not allowed."""
    if resource.custom:
        return []
    check = _CHANGE_CHECKS.get(resource.key)
    return check(old, new, minor) if check else []


# --- defaults ---


def _service_defaults(service: Json) -> None:
    spec = service.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    service.setdefault("status", {"loadBalancer": {}})


def _namespace_defaults(namespace: Json) -> None:
    namespace["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = namespace["metadata"].get(
        "name", ""
    )
    namespace.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    namespace["status"] = namespace.get("status") or {"phase": "Active"}


def _pod_spec_defaults(spec: Json) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in _containers(spec):
        container.setdefault("resources", {})
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        image = container.get("image", "")
        tag = image.rpartition("/")[2].partition(":")[2]
        policy = "Always" if "@" not in image and tag in {"", "latest"} else "IfNotPresent"
        container.setdefault("imagePullPolicy", policy)
        for port in container.get("ports") or []:
            port.setdefault("protocol", "TCP")


def _containers(spec: Json) -> Iterator[Json]:
    yield from spec.get("initContainers") or []
    yield from spec.get("containers") or []


def _pod_defaults(pod: Json) -> None:
    spec = pod.setdefault("spec", {})
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault("priority", 0)
    tolerated = {one.get("key") for one in spec.get("tolerations") or []}
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        if key not in tolerated
    ]
    spec["tolerations"] = [*(spec.get("tolerations") or []), *added]
    _pod_spec_defaults(spec)
    pod.setdefault("status", {"phase": "Pending", "qosClass": _quality(spec)})


def _quality(spec: Json) -> str:
    requirements = [container.get("resources") or {} for container in _containers(spec)]
    if not any(one.get("requests") or one.get("limits") for one in requirements):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(one.get("limits") or {}) and one.get("requests", one["limits"]) == one["limits"]
        for one in requirements
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _template_defaults(body: Json) -> None:
    template = body.setdefault("spec", {}).setdefault("template", {})
    template.setdefault("metadata", {}).setdefault("creationTimestamp", None)
    _pod_spec_defaults(template.setdefault("spec", {}))


def _deployment_defaults(body: Json) -> None:
    spec = body.setdefault("spec", {})
    _value_default(spec, "replicas", 1)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    _template_defaults(body)
    body.setdefault("status", {})


def _replicas_defaults(body: Json) -> None:
    _value_default(body.setdefault("spec", {}), "replicas", 1)
    _template_defaults(body)
    body.setdefault("status", {"replicas": 0})


def _stateful_defaults(body: Json) -> None:
    _replicas_defaults(body)
    spec = body["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    spec.setdefault("revisionHistoryLimit", 10)


def _daemon_defaults(body: Json) -> None:
    _template_defaults(body)
    spec = body["spec"]
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}})
    spec.setdefault("revisionHistoryLimit", 10)
    body.setdefault(
        "status",
        {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0},
    )


def _job_defaults(body: Json) -> None:
    spec = body.setdefault("spec", {})
    for name, value in (("parallelism", 1), ("completions", 1), ("backoffLimit", 6), ("suspend", False)):
        _value_default(spec, name, value)
    template = spec.setdefault("template", {})
    if "selector" not in spec:
        chosen = {"batch.kubernetes.io/controller-uid": body["metadata"].get("uid", "")}
        spec["selector"] = {"matchLabels": chosen}
        template.setdefault("metadata", {}).setdefault("labels", {}).update(
            chosen | {"batch.kubernetes.io/job-name": body["metadata"].get("name", "")}
        )
    _template_defaults(body)
    body.setdefault("status", {})


def _value_default(spec: Json, name: str, value: object) -> None:
    if spec.get(name) is None:
        spec[name] = value


def _secret_defaults(body: Json) -> None:
    body.setdefault("type", "Opaque")
    plain = body.pop("stringData", None) or {}
    if plain:
        data = body.get("data") or {}
        body["data"] = data | {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}


def _claim_defaults(body: Json) -> None:
    body.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    body.setdefault("status", {"phase": "Pending"})
    _finalizer(body, "kubernetes.io/pvc-protection")


def _volume_defaults(body: Json) -> None:
    spec = body.setdefault("spec", {})
    spec.setdefault("volumeMode", "Filesystem")
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    body.setdefault("status", {"phase": "Available"})
    _finalizer(body, "kubernetes.io/pv-protection")


def _finalizer(body: Json, name: str) -> None:
    if "deletionTimestamp" not in body["metadata"] and "uid" not in body["metadata"]:
        present = body["metadata"].get("finalizers") or []
        body["metadata"]["finalizers"] = list(dict.fromkeys([*present, name]))


def _class_defaults(body: Json) -> None:
    body.setdefault("reclaimPolicy", "Delete")
    body.setdefault("volumeBindingMode", "Immediate")


def _definition_defaults(body: Json) -> None:
    spec = body.setdefault("spec", {})
    spec.setdefault("conversion", {"strategy": "None"})
    names = spec.setdefault("names", {})
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", names["kind"] + "List")
    body.setdefault("status", {})


def _event_defaults(body: Json) -> None:
    body.setdefault("source", {})
    body.setdefault("type", "Normal")


_DEFAULTS: dict[Key, Callable[[Json], None]] = {
    ("", "services"): _service_defaults,
    ("", "namespaces"): _namespace_defaults,
    ("", "pods"): _pod_defaults,
    ("", "secrets"): _secret_defaults,
    ("", "persistentvolumeclaims"): _claim_defaults,
    ("", "persistentvolumes"): _volume_defaults,
    ("", "events"): _event_defaults,
    ("apps", "deployments"): _deployment_defaults,
    ("apps", "replicasets"): _replicas_defaults,
    ("apps", "statefulsets"): _stateful_defaults,
    ("apps", "daemonsets"): _daemon_defaults,
    ("batch", "jobs"): _job_defaults,
    ("storage.k8s.io", "storageclasses"): _class_defaults,
    ("apiextensions.k8s.io", "customresourcedefinitions"): _definition_defaults,
}


# --- validation ---

LARGEST_PORT = 65535
BITS_TOO_MANY = "must not have bits set beyond the prefix length"
LARGEST_SECRET = 1024 * 1024
SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")


def _service_errors(service: Json, minor: int) -> list[FieldError]:
    spec = service["spec"]
    problems: list[FieldError] = []
    if spec["type"] not in SERVICE_TYPES:
        problems.append(unsupported("spec.type", spec["type"], SERVICE_TYPES))
    if spec["type"] == "ExternalName":
        return problems if spec.get("externalName") else [*problems, required("spec.externalName")]
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None":
        problems.append(required("spec.ports"))
    for at, port in enumerate(ports):
        problems += _port_errors(port, f"spec.ports[{at}]", named=len(ports) > 1)
    numbers = [(port.get("port"), port.get("protocol")) for port in ports]
    for at, number in enumerate(numbers):
        if number in numbers[:at]:
            value: object = {"name": "", "protocol": number[1], "port": number[0], "targetPort": 0}
            problems.append(FieldError("FieldValueDuplicate", f"spec.ports[{at}]", value))
    return problems + _cluster_ip_errors(spec, minor)


def _port_errors(port: Json, path: str, *, named: bool) -> list[FieldError]:
    problems: list[FieldError] = []
    if named and not port.get("name"):
        problems.append(required(f"{path}.name"))
    number = port.get("port", 0)
    if not isinstance(number, int) or not 0 < number <= LARGEST_PORT:
        problems.append(wrong(f"{path}.port", number, f"must be between 1 and {LARGEST_PORT}, inclusive"))
    if port["protocol"] not in PROTOCOLS:
        problems.append(unsupported(f"{path}.protocol", port["protocol"], PROTOCOLS))
    return problems


def _cluster_ip_errors(spec: Json, minor: int) -> list[FieldError]:
    address, listed = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    path = "spec.clusterIPs"
    if not address and listed:
        return [wrong(path, list_text(listed, minor), "must be empty when `clusterIP` is not specified")]
    if address and listed[0] != address:
        return [wrong(path, list_text(listed, minor), "first value must match `clusterIP`")]
    return [
        wrong(f"{path}[{at}]", one, why)
        for at, one in enumerate(listed)
        if one != "None" and (why := _address_trouble(one))
    ]


def _address_trouble(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if re.fullmatch(r"\d+(\.\d+){3}", text) and re.search(r"\b0\d", text):
            return "must not have leading 0s"
        return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    return ""


def _pod_spec_errors(spec: Json, path: str) -> list[FieldError]:
    if not spec.get("containers"):
        return [required(f"{path}.containers")]
    problems: list[FieldError] = []
    for group in ("initContainers", "containers"):
        for at, container in enumerate(spec.get(group) or []):
            problems += _container_errors(container, f"{path}.{group}[{at}]")
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for at, container in enumerate(spec["containers"]):
        for which, mount in enumerate(container.get("volumeMounts") or []):
            if mount.get("name") not in volumes:
                place = f"{path}.containers[{at}].volumeMounts[{which}].name"
                problems.append(FieldError("FieldValueNotFound", place, mount.get("name", "")))
    container_names = [container.get("name") for container in spec["containers"]]
    problems += [
        FieldError("FieldValueDuplicate", f"{path}.containers[{at}].name", name)
        for at, name in enumerate(container_names)
        if name in container_names[:at]
    ]
    return problems


def _container_errors(container: Json, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    name = container.get("name") or ""
    if not name:
        problems.append(required(f"{path}.name"))
    else:
        problems += [wrong(f"{path}.name", name, problem) for problem in names.label(name)]
    image = container.get("image") or ""
    if not image:
        problems.append(required(f"{path}.image"))
    elif image != image.strip():
        problems.append(wrong(f"{path}.image", image, "must not have leading or trailing whitespace"))
    return problems


def _workload_errors(body: Json, minor: int) -> list[FieldError]:
    spec = body["spec"]
    problems: list[FieldError] = []
    selector = spec.get("selector")
    labels = spec["template"]["metadata"].get("labels") or {}
    if not selector:
        problems.append(required("spec.selector"))
    elif not selector_matches(selector, labels):
        text = "`selector` does not match template `labels`"
        problems.append(wrong("spec.template.metadata.labels", _map_text(labels, minor), text))
    if isinstance(spec.get("replicas"), int) and spec["replicas"] < 0:
        problems.append(wrong("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    return problems + _pod_spec_errors(spec["template"]["spec"], "spec.template.spec")


def _map_text(labels: Json, minor: int) -> object:
    if minor > 33:  # noqa: PLR2004
        return labels
    inside = ", ".join(f'"{key}":"{labels[key]}"' for key in sorted(labels))
    return Verbatim(f"map[string]string{{{inside}}}")


def _secret_errors(body: Json, _minor: int) -> list[FieldError]:
    data = {key: _decoded(value) for key, value in (body.get("data") or {}).items()}
    problems = [wrong(f"data[{key}]", key, problem) for key in data for problem in names.config_key(key)]
    if sum(map(len, data.values())) > LARGEST_SECRET:
        text = f"may not be more than {LARGEST_SECRET} bytes"
        problems.append(FieldError("FieldValueTooLong", "data", detail=text))
    kind = body["type"]
    if kind in _JSON_SECRETS:
        return problems + _json_secret_errors(data, _JSON_SECRETS[kind])
    present = [key for key in _SECRET_KEYS.get(kind, ()) if key in data]
    if kind == "kubernetes.io/basic-auth" and present:
        return problems
    problems += [required(f"data[{key}]") for key in _SECRET_KEYS.get(kind, ()) if key not in present]
    if kind == "kubernetes.io/service-account-token" and not (body["metadata"].get("annotations") or {}).get(_OWNER):
        problems.append(required(f"metadata.annotations[{_OWNER}]"))
    return problems


_OWNER = "kubernetes.io/service-account.name"
_JSON_SECRETS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/basic-auth": ("username", "password"),
}


def _json_secret_errors(data: dict[str, bytes], key: str) -> list[FieldError]:
    if key not in data:
        return [required(f"data[{key}]")]
    if not data[key]:
        return [wrong(f"data[{key}]", "<secret contents redacted>", "unexpected end of JSON input")]
    try:
        good = isinstance(json.loads(data[key]), dict)
    except ValueError:
        first = data[key][:1].decode(errors="replace")
        text = f"invalid character '{first}' looking for beginning of value"
        return [wrong(f"data[{key}]", "<secret contents redacted>", text)]
    if good:
        return []
    text = "json: cannot unmarshal value into Go value of type map[string]interface {}"
    return [wrong(f"data[{key}]", "<secret contents redacted>", text)]


def _decoded(value: Any) -> bytes:
    text = value if isinstance(value, str) else ""
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        place = next((at for at, one in enumerate(text) if not re.match("[A-Za-z0-9+/=]", one)), len(text) // 4 * 4)
        raise bad_request(
            f'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte {place}'
        ) from None


def _config_map_errors(body: Json, _minor: int) -> list[FieldError]:
    problems = [
        wrong(f"{part}[{key}]", key, problem)
        for part in ("data", "binaryData")
        for key in body.get(part) or {}
        for problem in names.config_key(key)
    ]
    for key, value in (body.get("data") or {}).items():
        if not isinstance(value, str):
            text = json.dumps(value)
            kind = "number" if isinstance(value, int | float) else type(value).__name__
            raise bad_request(
                f'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal {kind} {text} '
                f"into Go struct field ConfigMap.data.{key} of type string"
            )
    return problems


def _claim_errors(body: Json, _minor: int) -> list[FieldError]:
    spec = body["spec"]
    problems: list[FieldError] = []
    if not spec.get("accessModes"):
        problems.append(required("spec.accessModes", "at least 1 access mode is required"))
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        problems.append(required("spec.resources[storage]"))
    elif not _QUANTITY.fullmatch(str(size)):
        raise bad_request(
            'PersistentVolumeClaim in version "v1" cannot be handled as a PersistentVolumeClaim: quantities must match '
            "the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    return problems


_QUANTITY = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?")


def _range_errors(body: Json, _minor: int) -> list[FieldError]:
    listed = (body.get("spec") or {}).get("cidrs") or []
    if not listed:
        return [required("spec.cidrs", "at least one CIDR required")]
    return [wrong(f"spec.cidrs[{at}]", one, why) for at, one in enumerate(listed) if (why := _range_trouble(one))]


def _range_trouble(text: str) -> str:
    try:
        network = ipaddress.ip_interface(text).network
    except ValueError:
        return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    return "" if str(network.network_address) == text.partition("/")[0] else BITS_TOO_MANY


def _definition_errors(body: Json, _minor: int) -> list[FieldError]:
    spec = body["spec"]
    expected = f"{spec['names'].get('plural', '')}.{spec.get('group', '')}"
    problems: list[FieldError] = []
    if body["metadata"]["name"] != expected:
        text = 'must be spec.names.plural+"."+spec.group'
        problems.append(wrong("metadata.name", body["metadata"]["name"], text))
    if not spec.get("versions"):
        text = "must have exactly one version marked as storage version"
        problems.append(wrong("spec.versions", Verbatim("[]"), text))
    if spec.get("scope") not in {"Cluster", "Namespaced"}:
        problems.append(unsupported("spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced")))
    problems += [
        required(f"spec.versions[{at}].schema.openAPIV3Schema", "schemas are required")
        for at, version in enumerate(spec.get("versions") or [])
        if not (version.get("schema") or {}).get("openAPIV3Schema")
    ]
    return problems


def _binding_errors(body: Json, _minor: int) -> list[FieldError]:
    role = body.get("roleRef") or {}
    problems = [] if role.get("name") else [required("roleRef.name")]
    if role.get("kind") not in {"Role", "ClusterRole"}:
        problems.append(unsupported("roleRef.kind", role.get("kind", ""), ("Role", "ClusterRole")))
    return problems


_CHECKS: dict[Key, Callable[[Json, int], list[FieldError]]] = {
    ("", "services"): _service_errors,
    ("", "pods"): lambda pod, _: _pod_spec_errors(pod["spec"], "spec"),
    ("", "secrets"): _secret_errors,
    ("", "configmaps"): _config_map_errors,
    ("", "persistentvolumeclaims"): _claim_errors,
    ("apps", "deployments"): _workload_errors,
    ("apps", "replicasets"): _workload_errors,
    ("apps", "statefulsets"): _workload_errors,
    ("apps", "daemonsets"): _workload_errors,
    ("batch", "jobs"): _workload_errors,
    ("storage.k8s.io", "storageclasses"): lambda body, _minor: (
        [] if body.get("provisioner") else [required("provisioner")]
    ),
    ("networking.k8s.io", "servicecidrs"): _range_errors,
    ("apiextensions.k8s.io", "customresourcedefinitions"): _definition_errors,
    ("rbac.authorization.k8s.io", "rolebindings"): _binding_errors,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _binding_errors,
}


# --- immutable fields ---


def _service_change(old: Json, new: Json, minor: int) -> list[FieldError]:
    before, after = old["spec"], new["spec"]
    if "ExternalName" in {before["type"], after["type"]} or not before.get("clusterIP"):
        return []
    if after.get("clusterIP") == before["clusterIP"]:
        return []
    addresses_after = list_text(after.get("clusterIPs") or [], minor)
    return [wrong("spec.clusterIPs[0]", addresses_after, "may not change once set")]


def _selector_change(old: Json, new: Json, minor: int) -> list[FieldError]:
    if old["spec"].get("selector") == new["spec"].get("selector"):
        return []
    return [wrong("spec.selector", _selector_text(new["spec"].get("selector") or {}, minor), IMMUTABLE)]


def _selector_text(selector: Json, minor: int) -> object:
    if minor > 33:  # noqa: PLR2004
        return selector
    labels = _map_text(selector.get("matchLabels") or {}, minor)
    text = labels.text if isinstance(labels, Verbatim) else ""
    return Verbatim(f"v1.LabelSelector{{MatchLabels:{text}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}}")


def _pod_change(old: Json, new: Json, _minor: int) -> list[FieldError]:
    if _fixed_part(old["spec"]) == _fixed_part(new["spec"]):
        return []
    text = (
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
    )
    return [FieldError("FieldValueForbidden", "spec", detail=text)]


def _fixed_part(spec: Json) -> Json:
    fixed = copied(spec)
    for name in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"):
        fixed.pop(name, None)
    for container in _containers(fixed):
        container.pop("image", None)
    return fixed


def _immutable_data(old: Json, new: Json, _minor: int) -> list[FieldError]:
    problems: list[FieldError] = []
    if old.get("type") != new.get("type"):
        problems.append(wrong("type", new.get("type"), IMMUTABLE))
    if old.get("immutable") and (old.get("data") != new.get("data") or not new.get("immutable")):
        text = "field is immutable when `immutable` is set"
        problems.append(FieldError("FieldValueForbidden", "data", detail=text))
    return problems


def _claim_change(old: Json, new: Json, _minor: int) -> list[FieldError]:
    def fixed(spec: Json) -> Json:
        return {key: value for key, value in spec.items() if key not in {"resources", "volumeName"}}

    if fixed(old["spec"]) == fixed(new["spec"]):
        return []
    text = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
    return [FieldError("FieldValueForbidden", "spec", detail=text)]


def _role_change(old: Json, new: Json, _minor: int) -> list[FieldError]:
    if old["roleRef"] == new["roleRef"]:
        return []
    return [wrong("roleRef", new["roleRef"], "cannot change roleRef")]


def _range_change(old: Json, new: Json, _minor: int) -> list[FieldError]:
    before, after = old["spec"]["cidrs"], new["spec"]["cidrs"]
    if before == after or (len(before) == 1 and len(after) > 1 and before[0] == after[0]):
        return []
    return [wrong("spec.cidrs[0]", after[0], IMMUTABLE)]


_CHANGE_CHECKS: dict[Key, Callable[[Json, Json, int], list[FieldError]]] = {
    ("", "services"): _service_change,
    ("", "pods"): _pod_change,
    ("", "secrets"): _immutable_data,
    ("", "configmaps"): _immutable_data,
    ("", "persistentvolumeclaims"): _claim_change,
    ("apps", "deployments"): _selector_change,
    ("apps", "replicasets"): _selector_change,
    ("apps", "daemonsets"): _selector_change,
    ("apps", "statefulsets"): _selector_change,
    ("networking.k8s.io", "servicecidrs"): _range_change,
    ("rbac.authorization.k8s.io", "rolebindings"): _role_change,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _role_change,
}


def definition_resources(definition: Json) -> list[Resource]:
    """The kinds that a CustomResourceDefinition defines, one for each served version."""
    spec = definition["spec"]
    naming = spec["names"]
    return [
        Resource(
            group=spec["group"],
            version=version["name"],
            plural=naming["plural"],
            kind=naming["kind"],
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(naming.get("shortNames") or ()),
            subresources=tuple(version.get("subresources") or ()),
            categories=tuple(naming.get("categories") or ()),
            singular=naming.get("singular", ""),
            custom=True,
        )
        for version in spec["versions"]
        if version.get("served", True)
    ]


def unreadable(resource: Resource, why: str) -> StatusError:
    """400 for a body that can't be decoded as the kind."""
    return bad_request(f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}')
