"""One cluster's objects and the rules for creating, changing and deleting them."""

import ipaddress
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.clock import Clock
from sandbox.kube import addresses, kinds, names
from sandbox.kube.managed import managed_after
from sandbox.kube.resources import (
    CLAIMS,
    DEFINITIONS,
    IP_ADDRESSES,
    NAMESPACES,
    PODS,
    SERVICE_CIDRS,
    SERVICES,
    STORAGE_CLASSES,
    Catalogue,
    Json,
    Resource,
    copied,
)
from sandbox.kube.status import (
    FieldError,
    StatusError,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    modified,
    not_found,
    success,
    wrong,
)
from sandbox.kube.store import Store

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
SERVICE_CIDRS_SINCE = 33
KEPT_NAMESPACES = {"default", "kube-system", "kube-public"}
RETURNED_WHEN_DELETED = {
    "pods",
    "services",
    "serviceaccounts",
    "persistentvolumeclaims",
    "persistentvolumes",
    "resourcequotas",
    "storageclasses",
    "csidrivers",
    "namespaces",
}
"""Kinds whose deletion answers with the object (`ReturnDeletedObject` in the API server's registries)."""
DEFAULT_GRACE = 30
DELETED_RANGE = "networking.k8s.io/service-cidr-finalizer"


@dataclass(frozen=True)
class Options:
    """The options of a write."""

    dry_run: bool = False
    manager: str = ""
    """The manager in `managedFields`; empty for the cluster's own controllers, whose fields aren't tracked."""
    force: bool = False
    managed: list[Json] | None = None
    """The new `managedFields`, if they have been computed already."""


@dataclass(frozen=True)
class Deletion:
    """The options of a deletion: body and query of a DELETE."""

    dry_run: bool = False
    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    revision: str = ""


CONTROLLER = Options()


@dataclass
class Cluster:
    """An API server's state and rules, without HTTP, users or controllers.

    All operations are synchronous, so each is one transaction. They raise StatusError for what a client may not do.
    """

    name: str
    version: str
    service_cidrs: list[str]
    clock: Clock
    store: Store = field(default_factory=Store)
    chance: random.Random = field(default_factory=random.Random)
    records_events: bool = True
    """Whether controllers record events. Those of a cluster's making have expired: an API server keeps them for 1 h."""

    def __post_init__(self) -> None:
        self.minor = int(self.version.split(".")[1])
        self.catalogue = Catalogue(self.minor)

    @property
    def knows_ranges(self) -> bool:
        """Whether the version has ServiceCIDR and IPAddress objects."""
        return self.minor >= SERVICE_CIDRS_SINCE

    def now(self) -> str:
        """The current time in the form of object metadata."""
        return timestamp(self.clock.now())

    def seconds_since(self, moment: str) -> float:
        """Seconds since a time in an object's metadata or status."""
        return (self.clock.now() - datetime.fromisoformat(moment)).total_seconds()

    # --- reading ---

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """The object; 404 when there is none."""
        obj = self.store.get(resource.key, namespace, name)
        if obj is None:
            raise not_found(resource, name)
        return obj

    def ranges(self) -> list[addresses.Network]:
        """The Service ranges in use, the server's own first."""
        listed = list(self.service_cidrs)
        for service_range in self.store.items(SERVICE_CIDRS.key):
            conditions = (service_range.get("status") or {}).get("conditions") or []
            if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
                listed += [cidr for cidr in service_range["spec"]["cidrs"] if cidr not in listed]
        return [ipaddress.ip_network(service_range) for service_range in listed]

    def used_addresses(self) -> set[str]:
        """Every Service address that is taken."""
        if self.knows_ranges:
            return self.store.names(IP_ADDRESSES.key)
        return {
            one
            for service in self.store.items(SERVICES.key)
            for one in service["spec"].get("clusterIPs") or []
            if one != "None"
        }

    # --- creating ---

    def create(self, resource: Resource, namespace: str, body: Json, options: Options = CONTROLLER) -> Json:
        """Create an object. Returns it as stored, or in a dry run as it would be stored."""
        obj = self._received(resource, namespace, body)
        self._admit_to_namespace(resource, namespace, obj["metadata"].get("name", ""))
        self._name(resource, namespace, obj)
        self._admit(resource, obj)
        kinds.defaulted(resource, obj)
        if resource.has_status and not resource.custom and resource.key != NAMESPACES.key:
            obj["status"] = self._first_status(resource, obj)
        elif resource.custom and resource.has_status:
            obj.pop("status", None)
        obj["metadata"] |= {
            "uid": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
            "creationTimestamp": self.now(),
        }
        if resource.custom or resource.plural in kinds.WITH_GENERATION:
            obj["metadata"]["generation"] = 1
        self._validate(resource, obj)
        place = (resource.key, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        if self.store.get(*place) is not None:
            # A Service's address is allocated before names are compared, so a wrong address is reported first.
            if resource.key == SERVICES.key and (release := self._allocate(obj, dry_run=options.dry_run)):
                release()
            raise already_exists(resource, place[2])
        return self._stored_new(resource, obj, options)

    def _stored_new(self, resource: Resource, obj: Json, options: Options) -> Json:
        release: Callable[[], object] | None = None
        if resource.key == SERVICES.key:
            release = self._allocate(obj, dry_run=options.dry_run)
        self._track(resource, {}, obj, options)
        if options.dry_run:
            return obj
        try:
            stored = self.store.put(resource.key, obj)
        except BaseException:
            if release:
                release()
            raise
        if resource.key == DEFINITIONS.key:
            self.define(stored)
        return stored

    def _received(self, resource: Resource, namespace: str, body: Json) -> Json:
        obj = copied(body)
        kind, api_version = obj.get("kind") or resource.kind, obj.get("apiVersion") or resource.api_version
        if (kind, api_version) != (resource.kind, resource.api_version):
            raise bad_request(
                f"the object provided is unrecognized (must be of type {resource.kind}): "
                f"{kind} in version {api_version!r} cannot be handled as a {resource.kind}"
            )
        metadata = obj.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise kinds.unreadable(
                resource, "json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta"
            )
        obj |= {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if metadata.get("resourceVersion"):
            raise StatusError(500, "", "resourceVersion should not be set on objects to be created")
        namespace_in_body = metadata.get("namespace") or ""
        if resource.namespaced:
            if namespace_in_body and namespace_in_body != namespace:
                raise bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
            metadata["namespace"] = namespace
        else:
            metadata.pop("namespace", None)
        for name in ("uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "selfLink"):
            metadata.pop(name, None)
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
            metadata.pop(name, None)
        for name in [
            name for name in ("labels", "annotations", "finalizers", "ownerReferences") if not metadata.get(name)
        ]:
            metadata.pop(name, None)
        return obj

    def _admit_to_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        if not resource.namespaced:
            return
        home = self.store.get(NAMESPACES.key, "", namespace)
        if home is None:
            raise not_found(NAMESPACES, namespace)
        if "deletionTimestamp" in home["metadata"]:
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(resource, name, why, [cause])

    def _name(self, resource: Resource, namespace: str, obj: Json) -> None:
        metadata = obj["metadata"]
        prefix = metadata.get("generateName") or ""
        if metadata.get("name") or not prefix:
            return
        while True:
            name = prefix[: names.LONGEST_LABEL - 5] + "".join(self.chance.choices(SUFFIX_LETTERS, k=5))
            if self.store.get(resource.key, namespace, name) is None:
                metadata["name"] = name
                return

    def _admit(self, resource: Resource, obj: Json) -> None:
        if resource.key == CLAIMS.key and "storageClassName" not in (obj.get("spec") or {}):
            classes = self.store.items(STORAGE_CLASSES.key)
            default = next((entry for entry in classes if kinds.is_default_class(entry)), None)
            if default is not None:
                obj.setdefault("spec", {})["storageClassName"] = default["metadata"]["name"]
        if resource.key == SERVICE_CIDRS.key:
            finalizers = obj["metadata"].get("finalizers") or []
            obj["metadata"]["finalizers"] = list(dict.fromkeys([*finalizers, DELETED_RANGE]))
        if resource.key == PODS.key:
            account = (obj.get("spec") or {}).get("serviceAccountName") or "default"
            namespace = obj["metadata"]["namespace"]
            if self.store.get(("", "serviceaccounts"), namespace, account) is None:
                why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
                raise forbidden(resource, obj["metadata"].get("name", ""), why)

    @staticmethod
    def _first_status(resource: Resource, obj: Json) -> Json:
        blank: Json = {
            "kind": resource.kind,
            "metadata": dict(obj["metadata"]),
            "spec": copied(obj.get("spec") or {}),
        }
        status: Json = kinds.defaulted(resource, blank).get("status") or {}
        if resource.plural in {"nodes", "servicecidrs"}:
            return obj.get("status") or status
        return status

    def _validate(self, resource: Resource, obj: Json) -> None:
        problems = names.metadata_errors(resource, obj, minor=self.minor)
        try:
            problems += kinds.errors(resource, obj, minor=self.minor)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise kinds.unreadable(resource, f"json: cannot unmarshal: {error}") from error
        if problems:
            raise invalid(resource, obj["metadata"].get("name", ""), problems)

    # --- addresses ---

    def _allocate(self, service: Json, *, dry_run: bool) -> Callable[[], object] | None:
        spec = service["spec"]
        self._allocate_ports(service, dry_run=dry_run)
        if spec["type"] == "ExternalName" or spec.get("clusterIP") == "None":
            if spec.get("clusterIP") == "None":
                spec |= {"clusterIPs": ["None"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
            return None
        self._check_families(service)
        ranges, used = self.ranges(), self.used_addresses()
        if dry_run:
            ranges = [self.chance.choice(ranges)]
        if not spec.get("clusterIP"):
            # A dry run doesn't look for a free address: it shows the range's network address.
            address = str(ranges[0].network_address) if dry_run else addresses.pick(ranges, used, self.chance)
        else:
            address = str(ipaddress.ip_address(spec["clusterIP"]))
            named = dry_run or not self.knows_ranges
            why = addresses.refusal(ipaddress.ip_address(address), ranges, used, dry_run=dry_run, names_range=named)
            if why:
                raise addresses.refused(service["metadata"]["name"], address, spec["clusterIPs"], why, self.minor)
        family = f"IPv{ipaddress.ip_address(address).version}"
        spec |= {"clusterIP": address, "clusterIPs": [address], "ipFamilies": [family], "ipFamilyPolicy": "SingleStack"}
        if dry_run or not self.knows_ranges:
            return None
        self._take(address, family, service["metadata"])
        return lambda: self.store.remove(IP_ADDRESSES.key, "", address)

    def _check_families(self, service: Json) -> None:
        """Refuse a family of addresses for which the API server was started without a range."""
        spec = service["spec"]
        served = {f"IPv{ipaddress.ip_network(one).version}" for one in self.service_cidrs}
        problems: list[FieldError] = []
        if spec.get("ipFamilyPolicy") == "RequireDualStack" and len(served) == 1:
            text = "this cluster is not configured for dual-stack services"
            problems.append(wrong("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], text))
        for at, family in enumerate(spec.get("ipFamilies") or []):
            if family not in served:
                problems.append(wrong(f"spec.ipFamilies[{at}]", family, "not configured on this cluster"))
        family_of_address = f"IPv{ipaddress.ip_address(spec['clusterIP']).version}" if spec.get("clusterIP") else ""
        if family_of_address and family_of_address not in served and not spec.get("ipFamilies"):
            listed = addresses.list_text(spec["clusterIPs"], self.minor)
            problems.append(
                wrong("spec.clusterIPs[0]", listed, f"{family_of_address} is not configured on this cluster")
            )
        if problems:
            raise invalid(SERVICES, service["metadata"]["name"], problems)

    def _take(self, address: str, family: str, owner: Json) -> None:
        labels = {
            "ipaddress.kubernetes.io/ip-family": family,
            "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        }
        parent = {"group": "", "resource": "services", "namespace": owner["namespace"], "name": owner["name"]}
        self.create(IP_ADDRESSES, "", {"metadata": {"name": address, "labels": labels}, "spec": {"parentRef": parent}})

    def _allocate_ports(self, service: Json, *, dry_run: bool) -> None:
        if service["spec"]["type"] not in {"NodePort", "LoadBalancer"}:
            return
        name = (service["metadata"].get("namespace"), service["metadata"]["name"])
        used = {
            port["nodePort"]
            for other in self.store.items(SERVICES.key)
            if (other["metadata"]["namespace"], other["metadata"]["name"]) != name
            for port in other["spec"].get("ports") or []
            if "nodePort" in port
        }
        for at, port in enumerate(service["spec"].get("ports") or []):
            number = port.get("nodePort")
            path = f"spec.ports[{at}].nodePort"
            if number and number not in addresses.NODE_PORTS:
                text = "provided port is not in the valid range. The range of valid ports is 30000-32767"
                raise invalid(SERVICES, name[1], [wrong(path, number, text)])
            if number in used and not dry_run:
                raise invalid(SERVICES, name[1], [wrong(path, number, "provided port is already allocated")])
            port["nodePort"] = number or addresses.node_port(used, self.chance.randint)
            used.add(port["nodePort"])

    # --- changing ---

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Json,
        options: Options = CONTROLLER,
        *,
        part: str = "",
    ) -> Json:
        """Put `body` in the object's place; `part` is `status` for the status subresource."""
        old = self.get(resource, namespace, name)
        new = copied(body)
        new.setdefault("metadata", {})
        self._check_identity(resource, old, new)
        self._keep_system_fields(resource, old, new, part)
        if options.managed is not None:
            new["metadata"]["managedFields"] = options.managed
        if part != "status":
            kinds.defaulted(resource, new)
            if resource.key == SERVICES.key:
                self._keep_addresses(old, new)
            self._validate(resource, new)
            problems = kinds.change_errors(resource, old, new, minor=self.minor)
            if problems:
                raise invalid(resource, name, problems)
        return self._written(resource, old, new, options)

    def _written(self, resource: Resource, old: Json, new: Json, options: Options) -> Json:
        if resource.key == SERVICES.key:
            self._move_address(old, new, options)
        generated = resource.custom or resource.plural in kinds.WITH_GENERATION
        if generated and _without_state(old) != _without_state(new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
        if _same(old, new):
            return old
        self._track(resource, old, new, options)
        if options.dry_run:
            return new
        if _finished(new):
            return self._remove(resource, self.store.put(resource.key, new))
        stored = self.store.put(resource.key, new)
        if resource.key == DEFINITIONS.key:
            self.define(stored)
        return stored

    def _check_identity(self, resource: Resource, old: Json, new: Json) -> None:
        name, metadata = old["metadata"]["name"], new["metadata"]
        if metadata.get("name", name) != name:
            raise bad_request(
                f"the name of the object ({metadata.get('name')}) does not match the name on the URL ({name})"
            )
        if (
            resource.namespaced
            and metadata.get("namespace", old["metadata"]["namespace"]) != old["metadata"]["namespace"]
        ):
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        if metadata.get("uid") and metadata["uid"] != old["metadata"]["uid"]:
            uids = f"UID in precondition: {metadata['uid']}, UID in object meta: {old['metadata']['uid']}"
            raise conflict(resource, name, f"Precondition failed: {uids}")
        version = metadata.get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise modified(resource, name)
        if not version and resource.custom:
            raise invalid(resource, name, [wrong("metadata.resourceVersion", 0, "must be specified for an update")])

    @staticmethod
    def _keep_system_fields(resource: Resource, old: Json, new: Json, part: str) -> None:
        before, after = old["metadata"], new["metadata"]
        managed = _managed_by_client(after, before)
        system_fields = [
            *("name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion", "generateName"),
            *("deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"),
        ]
        for name in system_fields:
            after.pop(name, None)
            if name in before:
                after[name] = copied(before[name])
        if managed is not None:
            after["managedFields"] = managed
        new |= {"kind": resource.kind, "apiVersion": resource.api_version}
        if part == "status":
            for name in [name for name in new if name not in {"kind", "apiVersion", "metadata", "status"}]:
                del new[name]
            new |= {key: value for key, value in old.items() if key not in {"metadata", "status", "kind", "apiVersion"}}
            after |= {name: before[name] for name in ("finalizers", "ownerReferences") if name in before}
            if resource.custom:
                new["metadata"] = before
        elif resource.has_status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copied(old["status"])
        for name in [
            name for name in ("labels", "annotations", "finalizers", "ownerReferences") if not after.get(name)
        ]:
            after.pop(name, None)

    @staticmethod
    def _keep_addresses(old: Json, new: Json) -> None:
        before, after = old["spec"], new["spec"]
        if "ExternalName" in {before["type"], after["type"]}:
            return
        if not after.get("clusterIP"):
            after |= {"clusterIP": before.get("clusterIP", ""), "clusterIPs": before.get("clusterIPs", [])}
        elif after["clusterIP"] != before.get("clusterIP") and after.get("clusterIPs") == before.get("clusterIPs"):
            after["clusterIPs"] = [after["clusterIP"]]
        for name in ("ipFamilies", "ipFamilyPolicy"):
            if name in before:
                after.setdefault(name, before[name])

    def _move_address(self, old: Json, new: Json, options: Options) -> None:
        before, after = old["spec"], new["spec"]
        if after["type"] == "ExternalName" and before["type"] != "ExternalName":
            for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                after.pop(name, None)
            if not options.dry_run:
                self._release(old)
        elif before["type"] == "ExternalName" and after["type"] != "ExternalName":
            self._allocate(new, dry_run=options.dry_run)
        else:
            self._allocate_ports(new, dry_run=options.dry_run)

    def _release(self, service: Json) -> None:
        for address in service["spec"].get("clusterIPs") or []:
            entry = self.store.get(IP_ADDRESSES.key, "", address)
            if entry is not None:
                self._remove(IP_ADDRESSES, entry)

    def _track(self, resource: Resource, old: Json, new: Json, options: Options) -> None:
        if options.managed is not None:
            new["metadata"]["managedFields"] = options.managed
        elif options.manager and resource.key != ("", "events"):
            new["metadata"]["managedFields"] = managed_after(old, new, options.manager, self.now())

    # --- deleting ---

    def delete(
        self, resource: Resource, namespace: str, name: str, deletion: Deletion | None = None
    ) -> tuple[Json, bool]:
        """Delete an object, or mark it for its finalizers and grace period.

        Returns:
            What a client receives, and whether the object is gone.
        """
        deletion = deletion or Deletion()
        old = self.get(resource, namespace, name)
        _check_preconditions(resource, old, deletion)
        if resource.key == NAMESPACES.key and name in KEPT_NAMESPACES:
            raise forbidden(resource, name, "this namespace may not be deleted")
        marked = self._marked(resource, old, deletion)
        if _finished(marked):
            if not deletion.dry_run:
                self._remove(resource, old)
            if resource.plural in RETURNED_WHEN_DELETED and not resource.custom:
                return marked, True
            return success(resource, name, old["metadata"]["uid"]), True
        if not deletion.dry_run and not _same(old, marked):
            marked = self.store.put(resource.key, marked)
        return marked, False

    def _marked(self, resource: Resource, old: Json, deletion: Deletion) -> Json:
        metadata = dict(old["metadata"])
        marked = old | {"metadata": metadata}
        finalizers = [one for one in metadata.get("finalizers") or [] if one not in {"orphan", "foregroundDeletion"}]
        finalizer = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}.get(deletion.propagation)
        if not deletion.propagation and "deletionTimestamp" in metadata:
            finalizers = metadata.get("finalizers") or []
        metadata["finalizers"] = [*finalizers, *([finalizer] if finalizer else [])]
        if not metadata["finalizers"]:
            del metadata["finalizers"]
        grace = self._grace(resource, old, deletion)
        previous = metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" not in metadata:
            metadata["deletionTimestamp"] = self.now()
            metadata["deletionGracePeriodSeconds"] = grace
        elif previous is not None and grace < previous:
            metadata["deletionGracePeriodSeconds"] = grace
        if resource.key == NAMESPACES.key:
            marked["status"] = (old.get("status") or {}) | {"phase": "Terminating"}
        if "generation" in metadata and "deletionTimestamp" not in old["metadata"]:
            metadata["generation"] += 1
        return marked

    @staticmethod
    def _grace(resource: Resource, old: Json, deletion: Deletion) -> int:
        if resource.key != PODS.key:
            return 0
        if not old["spec"].get("nodeName") or (old.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            return 0
        if deletion.grace is not None:
            return max(0, deletion.grace)
        return int(old["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE))

    def _remove(self, resource: Resource, old: Json) -> Json:
        metadata = old["metadata"]
        last = self.store.remove(resource.key, metadata.get("namespace", ""), metadata["name"])
        if resource.key == SERVICES.key:
            self._release(old)
        if resource.key == DEFINITIONS.key:
            self.catalogue.withdraw((old["spec"]["group"], old["spec"]["names"]["plural"]))
        return last

    def define(self, definition: Json) -> None:
        """Serve the kinds of a CustomResourceDefinition."""
        resources = kinds.definition_resources(definition)
        if resources:
            self.catalogue.define(resources[0].key, resources)

    # --- what controllers do ---

    def change(self, resource: Resource, obj: Json, **parts: Json) -> Json:
        """Write parts (`status`, `spec`, `metadata`) of an object as the cluster itself, if the object still exists."""
        metadata = obj["metadata"]
        current = self.store.get(resource.key, metadata.get("namespace", ""), metadata["name"])
        if current is None or current["metadata"]["uid"] != metadata["uid"]:
            return obj
        new = current | {name: (current.get(name) or {}) | part for name, part in parts.items()}
        if "metadata" in parts:
            new["metadata"] = {key: value for key, value in new["metadata"].items() if value not in (None, [], {})}
        if "spec" in parts and "generation" in new["metadata"] and new["spec"] != current.get("spec"):
            new["metadata"] = new["metadata"] | {"generation": new["metadata"]["generation"] + 1}
        if _same(current, new):
            return current
        stored = self.store.put(resource.key, new)
        return self._remove(resource, stored) if _finished(stored) else stored

    def force_delete(self, resource: Resource, obj: Json) -> None:
        """Delete an object at once, as a kubelet or the garbage collector does in the end."""
        metadata = obj["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        current = self.store.get(resource.key, *place)
        if current is not None and current["metadata"]["uid"] == metadata["uid"]:
            self.delete(resource, *place, Deletion(grace=0))


def timestamp(moment: datetime) -> str:
    """RFC 3339 in whole seconds, as metav1.Time is written."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_served(resource: Resource, stored: Json) -> Json:
    """An object in the requested version of its kind."""
    if stored.get("apiVersion") == resource.api_version and resource.stored_as is None:
        return stored
    if resource.group == "events.k8s.io":
        renamed = {
            "involvedObject": "regarding",
            "message": "note",
            "reportingComponent": "reportingController",
            "source": "deprecatedSource",
            "count": "deprecatedCount",
            "firstTimestamp": "deprecatedFirstTimestamp",
            "lastTimestamp": "deprecatedLastTimestamp",
        }
        event = {renamed.get(key, key): value for key, value in stored.items()}
        return event | {"apiVersion": "events.k8s.io/v1", "kind": "Event"}
    return stored | {"apiVersion": resource.api_version, "kind": resource.kind}


def as_stored(resource: Resource, received: Json) -> Json:
    """The reverse of `as_served` for kinds that are stored in another form."""
    if resource.group != "events.k8s.io":
        return received
    renamed = {
        "regarding": "involvedObject",
        "note": "message",
        "reportingController": "reportingComponent",
        "deprecatedSource": "source",
        "deprecatedCount": "count",
        "deprecatedFirstTimestamp": "firstTimestamp",
        "deprecatedLastTimestamp": "lastTimestamp",
    }
    return {renamed.get(key, key): value for key, value in received.items()} | {"apiVersion": "v1", "kind": "Event"}


def _check_preconditions(resource: Resource, old: Json, deletion: Deletion) -> None:
    """Raise 409 if a precondition of a deletion fails; the text for a namespace differs."""
    metadata = old["metadata"]
    qualified = f"{resource.kind}.{resource.group}".rstrip(".")
    for name, expected, actual, why in (
        ("UID", deletion.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", deletion.revision, metadata["resourceVersion"], "modified"),
    ):
        if not expected or expected == actual:
            continue
        if resource.key == NAMESPACES.key:
            text = f"Precondition failed: {name} in precondition: {expected}, {name} in object meta: {actual}"
            raise conflict(resource, metadata["name"], text)
        text = (
            f"the {name} in the precondition ({expected}) does not match the {name} in record ({actual}). "
            f"The object might have been {why}"
        )
        raise conflict(resource, metadata["name"], text, subject=qualified)


def _finished(obj: Json) -> bool:
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if obj["kind"] == "Namespace" and obj["spec"].get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")


def _managed_by_client(metadata: Json, before: Json) -> list[Json] | None:
    """The `managedFields` that a client wrote itself, as kubectl does to hand over fields; None if it left them alone.

    A single empty entry removes all of them.
    """
    listed = metadata.get("managedFields")
    if not isinstance(listed, list) or not listed or listed == before.get("managedFields"):
        return None
    if listed == [{}]:
        return []
    complete = all(isinstance(one, dict) and one.get("fieldsV1") and one.get("manager") for one in listed)
    return copied(listed) if complete else None


def _same(old: Json, new: Json) -> bool:
    def compared(obj: Json) -> Json:
        metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        if not metadata.get("managedFields"):
            metadata.pop("managedFields", None)
        return obj | {"metadata": metadata}

    return compared(old) == compared(new)


def _without_state(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
