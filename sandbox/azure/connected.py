"""Microsoft.ContainerRegistry: connected registries, the cloud's side of them."""

import re
import uuid
from datetime import timedelta
from typing import Any

from sandbox.azure import versions
from sandbox.azure.arm import Answer, Call, ControlPlane, Router, pages
from sandbox.azure.cloud import ConnectedRegistry, Origin, Registry, stamp
from sandbox.azure.durations import duration
from sandbox.azure.errors import child_not_found, refused
from sandbox.azure.filters import parse
from sandbox.azure.operations import Operation
from sandbox.azure.registries import KIND, REGISTRY, find_registry, results_path
from sandbox.azure.shapes import ANY, Shape

CONNECTED = f"{REGISTRY}/connectedRegistries/{{connected}}"
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{4,39}")
"""5 to 40 letters and digits beginning with a letter (documentation and portal)."""
CRON = re.compile(r"(?:[\d*/,\-]+\s+){4}[\d*/,\-A-Za-z]+")
CONTINUOUS = "* * * * *"
NOTIFICATION = re.compile(r"[^\s:@]+(:[^\s:@]+)?(@sha256:[0-9a-f]{64})?:(push|delete|\*)", re.IGNORECASE)
"""`name[:tag][@digest]:action` (REST reference)."""
MODES = {"readonly": "ReadOnly", "readwrite": "ReadWrite", "registry": "Registry", "mirror": "Mirror"}
LEVELS = ("Debug", "Information", "Warning", "Error", "None")
AUDIT_LOGS = ("Enabled", "Disabled")
LIMIT = 50
"""Limit of connected registries of a registry, and of clients of a connected registry (ACR service limits)."""
TTL = (timedelta(days=1), timedelta(days=90))
WINDOW = (timedelta(hours=1), timedelta(days=7))
MANAGED_IDENTITIES = "2026-09-01-preview"
"""The first api-version with `identity` and `authType`; older ones hide both."""
AUTHENTICATIONS = ("SyncToken", "ManagedIdentity")
SYNC: Shape = {"tokenId": str, "schedule": str, "syncWindow": str, "messageTtl": str, "authType": str}
BODY: Shape = {
    "identity": {"type": str, "userAssignedIdentities": {ANY: dict}},
    "properties": {
        "mode": str,
        "parent": {"id": str, "syncProperties": SYNC},
        "syncProperties": SYNC,
        "clientTokenIds": [str],
        "notificationsList": [str],
        "logging": {"logLevel": str, "auditLogStatus": str},
        "garbageCollection": {"enabled": bool, "schedule": str},
    },
}


class ConnectedRegistries:
    """Routes of connected registries."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._cloud = plane.cloud

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind, action = versions.CONNECTED_REGISTRIES, f"{KIND}/connectedRegistries"
        router.add("GET", f"{REGISTRY}/connectedRegistries", self._list, kind=kind, action=f"{action}/read")
        router.add("GET", CONNECTED, self._get, kind=kind, action=f"{action}/read")
        router.add("PUT", CONNECTED, self._put, kind=kind, action=f"{action}/write", body=BODY)
        router.add("PATCH", CONNECTED, self._patch, kind=kind, action=f"{action}/write", body=BODY)
        router.add("DELETE", CONNECTED, self._delete, kind=kind, action=f"{action}/delete")
        kind, path = versions.DEACTIVATE, f"{CONNECTED}/deactivate"
        router.add("POST", path, self._deactivate, kind=kind, action=f"{action}/deactivate/action")
        router.add("POST", f"{CONNECTED}/resync", self._resync, kind=versions.RESYNC, action=f"{action}/resync/action")

    def _list(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/connectedRegistries")
        bodies = [self._body(registry, one, call) for one in registry.connected.values()]
        if text := call.query.get("$filter"):
            filterable = ("parent.id", "properties.parent.id", "mode", "properties.mode", "connectionState",
                     "properties.connectionState")  # fmt: skip
            terms = parse(text, filterable)
            bodies = [body for body in bodies if all(term.fits(_value(body, term.name)) for term in terms)]
        return Answer(200, pages(bodies, call, self._cloud.page_size))

    def _get(self, call: Call) -> Answer:
        registry, connected = self._find(call)
        return Answer(200, self._body(registry, connected, call))

    def _put(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/connectedRegistries")
        existing = registry.connected.get(call.names["connected"].lower())
        if existing is not None:
            mode = call.properties.get("mode") or existing.mode
            if MODES.get(mode.lower()) != existing.mode:
                raise refused("ModeChangeNotAllowed", "The mode of a connected registry cannot be changed.")
            base, parent = self._cloud.registry_id(registry), call.properties.get("parent") or {}
            above = f"{base}/connectedRegistries/{existing.parent}" if existing.parent else ""
            if (parent.get("id") or "").lower() != above.lower():
                raise refused("ParentChangeNotAllowed", "The parent of a connected registry cannot be changed.")
            token = (parent.get("syncProperties") or {}).get("tokenId")
            if token and token.lower() != f"{base}/tokens/{existing.token}".lower():
                raise refused("SyncTokenChangeNotAllowed", "The sync token of a connected registry cannot be changed.")
            self._change(registry, existing, call)
            return Answer(200, self._body(registry, existing, call))
        connected = self._new(registry, call)
        self._change(registry, connected, call)
        registry.connected[connected.name.lower()] = connected
        # As recorded in 2025 and 2026: done at once, and 200 for a new one too.
        return Answer(200, self._body(registry, connected, call))

    def _new(self, registry: Registry, call: Call) -> ConnectedRegistry:
        _check_room(registry)
        name, properties = call.names["connected"], call.properties
        if not NAME.fullmatch(name):
            raise refused(
                "InvalidResourceName",
                f"The connected registry name '{name}' is invalid. It must be between 5 and 40 characters, start with "
                "a letter, and contain alphanumeric characters only.",
            )
        mode = MODES.get((properties.get("mode") or "").lower())
        if mode is None:
            raise refused(
                "InvalidParameters", f"The mode '{properties.get('mode')}' is not one of ReadOnly, ReadWrite."
            )
        parent = properties.get("parent") or {}
        origin = Origin.now(call.principal.client_id, call.now)
        sync = parent.get("syncProperties") or {}
        identity = _identity(registry, call, sync)
        if identity is not None and parent.get("id"):
            raise refused("InvalidParameters", "A connected registry with a managed identity can't have a parent.")
        token = "" if identity is not None else self._sync_token(registry, sync.get("tokenId"))
        connected = ConnectedRegistry(name, mode, token, origin, identity)
        if parent_id := parent.get("id"):
            connected.parent = self._parent(registry, parent_id, mode)
        return connected

    def _parent(self, registry: Registry, parent_id: str, mode: str) -> str:
        name = _tail(parent_id, f"{self._cloud.registry_id(registry)}/connectedRegistries")
        parent = registry.connected.get(name.lower()) if name else None
        if parent is None:
            raise refused("InvalidParent", f"The parent connected registry {parent_id} could not be found.", status=404)
        if parent.mode not in (mode, "ReadWrite", "Registry"):
            raise refused(
                "InvalidParentMode",
                f"A connected registry of mode {mode} cannot have the parent {parent.name} of mode {parent.mode}.",
            )
        return parent.name

    def _sync_token(self, registry: Registry, token_id: str | None) -> str:
        if not token_id:
            raise refused("InvalidParameters", "The sync token is missing: parent.syncProperties.tokenId.")
        name = _tail(token_id, f"{self._cloud.registry_id(registry)}/tokens")
        token = registry.tokens.get(name.lower()) if name else None
        if token is None:
            raise refused("InvalidSyncToken", f"The sync token {token_id} could not be found.", status=404)
        return token.name

    def _change(self, registry: Registry, connected: ConnectedRegistry, call: Call) -> None:
        """Apply what a PUT or PATCH may change: all of it, or nothing if a value is wrong."""
        properties = call.properties
        sync = (properties.get("parent") or {}).get("syncProperties") or properties.get("syncProperties") or {}
        logging, collection = properties.get("logging") or {}, properties.get("garbageCollection") or {}
        schedule, window, ttl = _sync_settings(connected, sync)
        tokens, notifications = properties.get("clientTokenIds"), properties.get("notificationsList")
        clients = connected.client_tokens if tokens is None else self._clients(registry, tokens)
        notifications = connected.notifications if notifications is None else notifications
        for pattern in notifications:
            if not NOTIFICATION.fullmatch(pattern):
                raise refused(
                    "InvalidParameters",
                    f"The notification '{pattern}' has not the form name[:tag][@digest]:action, with push, delete or * "
                    "for the action.",
                )
        level = _word("log level", logging.get("logLevel") or connected.log_level, LEVELS)
        audit_log = _word("audit log status", logging.get("auditLogStatus") or connected.audit_log, AUDIT_LOGS)
        gc_schedule = _cron(collection.get("schedule") or connected.gc_schedule)
        identity = _identity(registry, call, sync)
        if identity is not None and identity != connected.identity:
            _check_migration(connected, call)
            connected.identity, connected.token = identity, ""
        connected.schedule, connected.sync_window, connected.message_ttl = schedule, window, ttl
        connected.client_tokens, connected.notifications = clients, notifications
        connected.log_level, connected.audit_log = level, audit_log
        if collection.get("enabled") is not None:
            connected.gc_enabled = collection["enabled"]
        connected.gc_schedule = gc_schedule
        connected.origin.change(call.principal.client_id, call.now)

    def _clients(self, registry: Registry, token_ids: list[str]) -> list[str]:
        if len(token_ids) > LIMIT:
            raise refused("InvalidParameters", f"A connected registry can have at most {LIMIT} client tokens.")
        base = f"{self._cloud.registry_id(registry)}/tokens"
        for token_id in token_ids:
            name = _tail(token_id, base)
            if not name or name.lower() not in registry.tokens:
                raise refused("InvalidClientToken", f"The client token {token_id} could not be found.", status=404)
        return [f"{base}/{registry.tokens[one.rsplit('/', 1)[1].lower()].name}" for one in token_ids]

    def _settling(self, call: Call, registry: Registry, connected: ConnectedRegistry, *, status: int) -> Answer:
        if call.prompt:
            return Answer(200, self._body(registry, connected, call))
        connected.state = "Creating" if status == 201 else "Updating"  # noqa: PLR2004 - HTTP's Created

        def finish(operation: Operation) -> None:
            if connected.state in ("Creating", "Updating"):
                connected.state = "Succeeded"
            operation.succeed()

        operation = self._plane.begin("connectedRegistries-", call.path, finish, connected.state)
        body = self._body(registry, connected, call)
        return Answer(201, body, self._plane.watch(call, f"{body['id']}/operationStatuses/{operation.id}"))

    def _patch(self, call: Call) -> Answer:
        registry, connected = self._find(call)
        self._change(registry, connected, call)
        # As recorded from the service: a PATCH sets `createdAt` too.
        connected.origin = Origin.now(call.principal.client_id, call.now)
        return Answer(200, self._body(registry, connected, call))

    def _delete(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/connectedRegistries")
        connected = registry.connected.get(call.names["connected"].lower())
        if connected is None:
            return Answer(204)
        children = [one.name for one in registry.connected.values() if one.parent == connected.name]
        if children:
            raise refused(
                "ConnectedRegistryHasChildren",
                f"The connected registry {connected.name} cannot be deleted because it is the parent of "
                f"{', '.join(children)}.",
                status=409,
            )

        del registry.connected[connected.name.lower()]
        return Answer(200)

    def _deactivate(self, call: Call) -> Answer:
        registry, connected = self._find(call)
        if call.prompt:
            connected.deactivate()
            return Answer(200)

        def finish(operation: Operation) -> None:
            connected.deactivate()
            operation.succeed()

        operation = self._plane.begin("connectedRegistries-", call.path, finish, "InProgress")
        return Answer(202, None, self._plane.fetch(call, results_path(self._cloud, registry, operation)))

    def _resync(self, call: Call) -> Answer:
        registry, connected = self._find(call)
        if connected.connection(call.now) == "Offline":
            raise refused(
                "ConnectedRegistryHasOfflineChildren",
                f"The connected registry {connected.name} cannot be resynchronized because it is not attached.",
                status=409,
            )
        connected.resync = True
        connected.sync_result.trigger, connected.sync_result.state = "ManualResync", "Pending"
        return Answer(200, self._body(registry, connected, call))

    def _find(self, call: Call) -> tuple[Registry, ConnectedRegistry]:
        registry = find_registry(self._cloud, call, child="registries/connectedRegistries")
        connected = registry.connected.get(call.names["connected"].lower())
        if connected is None:
            raise child_not_found(call.names["connected"])
        connected.bring_up(call.now)
        return registry, connected

    def _body(self, registry: Registry, connected: ConnectedRegistry, call: Call) -> dict[str, Any]:
        connected.bring_up(call.now)
        base = self._cloud.registry_id(registry)
        synchronisation: dict[str, Any] = {
            "schedule": connected.schedule,
            "messageTtl": connected.message_ttl,
            "gatewayEndpoint": registry.gateway,
        }
        if connected.token:
            synchronisation["tokenId"] = f"{base}/tokens/{connected.token}"
        if call.api_version >= MANAGED_IDENTITIES:
            synchronisation["authType"] = AUTHENTICATIONS[connected.identity is not None]
        if connected.sync_window is not None:
            synchronisation["syncWindow"] = connected.sync_window
        if connected.last_sync is not None:
            synchronisation["lastSyncTime"] = stamp(connected.last_sync)
        properties: dict[str, Any] = {
            "provisioningState": connected.state,
            "mode": connected.mode,
            "connectionState": connected.connection(call.now),
            "activation": {"status": connected.activation},
            "parent": {"syncProperties": synchronisation},
            "loginServer": connected.login_server or {"tls": {"certificate": {}}},
            "logging": {"logLevel": connected.log_level, "auditLogStatus": connected.audit_log},
            "garbageCollection": {"enabled": connected.gc_enabled, "schedule": connected.gc_schedule},
        }
        if connected.parent is not None:
            properties["parent"]["id"] = f"{base}/connectedRegistries/{connected.parent}"
        reported = {"version": connected.version, "lastActivityTime": stamp(connected.last_activity)}
        properties |= {key: value for key, value in reported.items() if value is not None}
        lists = {
            "clientTokenIds": list(connected.client_tokens),
            "statusDetails": [_detail(detail, call.api_version) for detail in connected.status_details],
            "notificationsList": list(connected.notifications),
        }
        # As recorded in 2026: what is empty is absent.
        properties |= {name: entries for name, entries in lists.items() if entries or not call.prompt}
        if call.api_version >= versions.RESYNC.versions[-1] and connected.sync_result.state != "NotActivated":
            properties["registrySyncResult"] = connected.sync_result.body()
        body: dict[str, Any] = {
            "type": f"{KIND}/connectedRegistries",
            "properties": properties,
            "id": f"{base}/connectedRegistries/{connected.name}",
            "name": connected.name,
            "systemData": connected.origin.body(),
        }
        if connected.identity is not None and call.api_version >= MANAGED_IDENTITIES:
            body["identity"] = connected.identity
        return body


def _detail(detail: dict[str, Any], version: str) -> dict[str, Any]:
    """The room on the disk is shown since 2026-09-01-preview (azure-mgmt-containerregistry 15.1.0b3)."""
    hidden = () if version >= MANAGED_IDENTITIES else ("availableGib", "totalGib")
    return {key: value for key, value in detail.items() if key not in hidden}


def _value(body: dict[str, Any], name: str) -> str | None:
    properties = body["properties"]
    if name.endswith("parent.id"):
        return properties["parent"].get("id")  # type: ignore[no-any-return]  # ARM bodies are untyped
    return str(properties[name.removeprefix("properties.")])


def _tail(resource_id: str, base: str) -> str | None:
    """The name at the end of an id directly below `base`; None for any other id."""
    prefix, _, name = resource_id.rpartition("/")
    return name if name and prefix.lower() == base.lower() else None


def _identity(registry: Registry, call: Call, sync: dict[str, Any]) -> dict[str, Any] | None:
    """The managed identity that a PUT or PATCH asks for, as ARM shows it; None if it asks for none."""
    if call.api_version < MANAGED_IDENTITIES:
        return None
    authentication = _word("authentication type", sync.get("authType") or AUTHENTICATIONS[0], AUTHENTICATIONS)
    identities = (call.body.get("identity") or {}).get("userAssignedIdentities") or {}
    if authentication == AUTHENTICATIONS[0]:
        if identities:
            raise refused("InvalidParameters", "An identity needs the authType ManagedIdentity.")
        return None
    if len(identities) != 1:
        raise refused("InvalidParameters", "The authType ManagedIdentity needs exactly one user-assigned identity.")
    if registry.settings.get("roleAssignmentMode") != "AbacRepositoryPermissions":
        raise refused(
            "InvalidParameters",
            f"The authType ManagedIdentity needs the role assignment mode AbacRepositoryPermissions, which registry "
            f"{registry.name} does not have.",
        )
    [resource_id] = identities
    ids = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, resource_id + name)) for name in ("principalId", "clientId")}
    return {"type": "userAssigned", "userAssignedIdentities": {resource_id: ids}}


def _check_migration(connected: ConnectedRegistry, call: Call) -> None:
    """Refuse another identity, and a migration of one that an instance uses."""
    if connected.identity is not None:
        raise refused("IdentityChangeNotAllowed", "The identity of a connected registry cannot be changed.")
    if connected.activation == "Active" or connected.connection(call.now) != "Offline":
        raise refused(
            "InvalidParameters",
            f"The connected registry {connected.name} has to be deactivated and Offline before it gets an identity.",
        )


def _check_room(registry: Registry) -> None:
    if registry.sku != "Premium":
        raise refused(
            "ConnectedRegistryNotSupported",
            f"Connected registry is not supported for the SKU {registry.sku}. "
            "For more information, please visit https://aka.ms/acr/skus.",
        )
    if not registry.data_endpoint:
        raise refused(
            "DataEndpointDisabled",
            f"Dedicated data endpoint has to be enabled on registry {registry.name} before a connected registry is "
            "created. For more information, please visit https://aka.ms/acr/dedicated-data-endpoints.",
        )
    if len(registry.connected) >= LIMIT:
        raise refused(
            "ConnectedRegistryLimitExceeded",
            f"Registry {registry.name} has {len(registry.connected)} connected registries, which is its limit.",
            status=403,
        )


def _sync_settings(connected: ConnectedRegistry, sync: dict[str, Any]) -> tuple[str, str | None, str]:
    schedule = _cron(sync.get("schedule") or connected.schedule)
    window = sync.get("syncWindow", connected.sync_window)
    if window is not None:
        _check_between("syncWindow", window, WINDOW)
    if window is None and schedule != CONTINUOUS:
        raise refused("InvalidSyncWindow", f"A syncWindow is required with the schedule '{schedule}'.")
    ttl = sync.get("messageTtl") or connected.message_ttl
    _check_between("messageTtl", ttl, TTL)
    return schedule, window, ttl


def _cron(schedule: str) -> str:
    if not CRON.fullmatch(schedule):
        raise refused("InvalidSchedule", f"The schedule '{schedule}' is not a cron expression of five fields.")
    return schedule


def _check_between(name: str, text: str, limits: tuple[timedelta, timedelta]) -> None:
    length = duration(text)
    if length is None or not limits[0] <= length <= limits[1]:
        raise refused(
            f"Invalid{name[0].upper()}{name[1:]}",
            f"The {name} '{text}' has to be an ISO 8601 duration between {limits[0]} and {limits[1]}.",
        )


def _word(field: str, value: str, words: tuple[str, ...]) -> str:
    for word in words:
        if word.lower() == value.lower():
            return word
    raise refused("InvalidParameters", f"The {field} '{value}' is not one of {', '.join(words)}.")
