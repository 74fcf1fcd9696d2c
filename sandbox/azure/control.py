"""The control API of the Azure part: shows the cloud and changes its state."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.azure import versions
from sandbox.azure.arm import ROLES, Arm, ControlPlane
from sandbox.azure.cloud import Cluster, ConnectedRegistry, Registry, SyncResult, stamp
from sandbox.azure.governance import LEVELS, SUBSCRIPTION_STATES, DenyAssignment, Lock, Policy, Rule
from sandbox.azure.throttle import KINDS, Limit, Throttle

ACTIVATIONS = ("Active", "Inactive")
CONNECTIONS = ("Online", "Offline", "Syncing", "Unhealthy")
SYNC_TRIGGERS = ("InitialSync", "ManualResync", "RecoveryService", "SyncTokenUpdate")
SYNC_STATES = ("NotActivated", "Pending", "Syncing", "Succeeded", "Failed", "TimedOut")
SYNC_TIMES = ("lastSyncStartTime", "lastSyncEndTime", "lastSuccessfulSyncEndTime")
CONNECTIVITIES = ("Connected", "Connecting", "Offline", "Expired", "AgentNotInstalled")
RULES: dict[str, type[Rule]] = {"locks": Lock, "policies": Policy, "denyassignments": DenyAssignment}
SCENE = (
    "activation",
    "connectionState",
    "lastSyncTime",
    "lastActivityTime",
    "registrySyncResult",
    "statusDetails",
    "version",
)


class ControlError(Exception):
    """A request of the control API that can't be carried out; the text is for its sender."""


class Control:
    """Handlers below /sandbox/azure."""

    def __init__(self, plane: ControlPlane, arm: Arm, throttle: Throttle) -> None:
        self._plane = plane
        self._cloud = plane.cloud
        self._arm = arm
        self._throttle = throttle

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount."""
        return [
            web.get("/sandbox/azure/state", self._state),
            web.get("/sandbox/azure/requests", self._requests),
            web.delete("/sandbox/azure/requests", self._forget_requests),
            web.post("/sandbox/azure/throttle", self._limit),
            web.post("/sandbox/azure/versions", self._versions),
            web.post("/sandbox/azure/clusters/{name}", self._cluster),
            web.post("/sandbox/azure/subscription", self._subscription),
            web.post("/sandbox/azure/principals/{name}", self._principal),
            web.post("/sandbox/azure/{kind:locks|policies|denyassignments}", self._add_rule),
            web.delete("/sandbox/azure/{kind:locks|policies|denyassignments}", self._remove_rules),
            web.delete("/sandbox/azure/{kind:locks|policies|denyassignments}/{name}", self._remove_rules),
            web.post("/sandbox/azure/connectedregistries/{registry}/{name}", self._connected),
        ]

    def state(self) -> dict[str, Any]:
        """An overview of the cloud, without secrets."""
        self._plane.operations.settle()
        now = self._plane.clock.now()
        return {
            "tenant": self._cloud.tenant,
            "subscription": self._cloud.subscription,
            "subscriptionState": self._cloud.governance.subscription_state,
            "visibleAfter": self._cloud.visible_after,
            **{kind: [asdict(rule) for rule in self._rules(kind).values()] for kind in RULES},
            "providers": dict(self._cloud.providers),
            "registries": [_registry(registry, now) for registry in self._cloud.registries.values()],
            "clusters": [_cluster(cluster, now) for cluster in self._cloud.clusters.values()],
            "throttle": self._throttle.limits(),
        }

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(self.state())

    async def _requests(self, _request: web.Request) -> web.Response:
        return web.json_response({"requests": [seen.body() for seen in self._arm.log]})

    async def _forget_requests(self, _request: web.Request) -> web.Response:
        self._arm.log.clear()
        return web.json_response({})

    async def _versions(self, request: web.Request) -> web.Response:
        """{"Microsoft.ContainerRegistry/registries": [api-versions]}: offer these alone; null offers the usual ones."""
        try:
            body = await _json(request)
            offers = dict(_offers(body))
        except ControlError as error:
            return _refusal(400, str(error))
        for name, listed in offers.items():
            if listed is None:
                self._cloud.offers.pop(name, None)
            else:
                self._cloud.offers[name] = listed
        return web.json_response({name: list(listed) for name, listed in self._cloud.offers.items()})

    async def _limit(self, request: web.Request) -> web.Response:
        """{"reads": n, "writes": n, "deletes": n, "refill": per second}; null removes a limit."""
        try:
            body = await _json(request)
            refill = _number(body.pop("refill", 1), "refill")
            for kind in KINDS:
                if kind in body:
                    size = body.pop(kind)
                    self._throttle.limit(kind, None if size is None else Limit(_number(size, kind), refill))
            _nothing_left(body, (*KINDS, "refill"))
        except ControlError as error:
            return _refusal(400, str(error))
        return web.json_response(self._throttle.limits())

    async def _cluster(self, request: web.Request) -> web.Response:
        """{"connectivityStatus": WORD}; null makes heartbeats decide again."""
        name = request.match_info["name"].lower()
        clusters = [cluster for cluster in self._cloud.clusters.values() if cluster.name.lower() == name]
        if not clusters:
            names = ", ".join(cluster.name for cluster in self._cloud.clusters.values()) or "none"
            return _refusal(404, f"There is no connected cluster {name!r}. There are: {names}.")
        try:
            body = await _json(request)
            status = body.pop("connectivityStatus", None)
            _nothing_left(body, ("connectivityStatus",))
            clusters[0].status = None if status is None else _word(status, CONNECTIVITIES)
        except ControlError as error:
            return _refusal(400, str(error))
        return web.json_response(_cluster(clusters[0], self._plane.clock.now()))

    async def _subscription(self, request: web.Request) -> web.Response:
        """{"state": WORD, "visibleAfter": seconds until what was made can be read}, or one of them."""
        try:
            body = await _json(request)
            state = _word(body.pop("state", self._cloud.governance.subscription_state), SUBSCRIPTION_STATES)
            seconds = _number(body.pop("visibleAfter", self._cloud.visible_after), "visibleAfter")
            _nothing_left(body, ("state", "visibleAfter"))
        except ControlError as error:
            return _refusal(400, str(error))
        self._cloud.governance.subscription_state, self._cloud.visible_after = state, seconds
        return web.json_response({"state": state, "visibleAfter": seconds})

    async def _principal(self, request: web.Request) -> web.Response:
        """{"role", "client_secret", "actions", "denied_actions", "federated_subjects"}, or some of them."""
        name, principals = request.match_info["name"].lower(), self._cloud.principals
        principal = next((one for one in principals.values() if name in (one.name.lower(), one.client_id)), None)
        if principal is None:
            names = ", ".join(one.name for one in principals.values())
            return _refusal(404, f"There is no principal {name!r}. There are: {names}.")
        try:
            body = await _json(request)
            _nothing_left({key: value for key, value in body.items() if key not in PRINCIPAL}, tuple(PRINCIPAL))
            changes = {key: PRINCIPAL[key](value, key) for key, value in body.items()}
        except ControlError as error:
            return _refusal(400, str(error))
        principals[principal.client_id] = replace(principal, **changes)
        return web.json_response({})

    def _rules(self, kind: str) -> dict[str, Any]:
        governance = self._cloud.governance
        rules: dict[str, dict[str, Any]] = {
            "locks": governance.locks,
            "policies": governance.policies,
            "denyassignments": governance.deny_assignments,
        }
        return rules[kind]

    async def _add_rule(self, request: web.Request) -> web.Response:
        """{"name", "scope"} and what else the kind of rule has; a rule of the same name is replaced."""
        kind = RULES[request.match_info["kind"]]
        try:
            body = await _json(request)
            fields = kind.__dataclass_fields__
            _nothing_left({key: value for key, value in body.items() if key not in fields}, tuple(fields))
            scope = self._scope(body)
            readers = {"level": _level, "actions": _texts, "types": _texts, "allowed_locations": _texts}
            values: dict[str, Any] = {
                key: readers[key](value, key) if key in readers else str(value) for key, value in body.items()
            }
        except ControlError as error:
            return _refusal(400, str(error))
        rule = kind(**values | {"scope": scope})
        self._rules(request.match_info["kind"])[rule.name] = rule
        return web.json_response(asdict(rule))

    def _scope(self, body: dict[str, Any]) -> str:
        scope = self._cloud.scope(str(body.get("scope", "subscription")))
        if not body.get("name") or scope is None:
            raise ControlError("name and scope: an ARM id, `subscription`, a resource group, registry or cluster.")
        return scope

    async def _remove_rules(self, request: web.Request) -> web.Response:
        """Remove one rule by name, or all of a kind."""
        rules, name = self._rules(request.match_info["kind"]), request.match_info.get("name")
        if name is None:
            rules.clear()
        elif rules.pop(name, None) is None:
            return _refusal(404, f"There is no {name!r}. There are: {', '.join(rules) or 'none'}.")
        return web.json_response({})

    async def _connected(self, request: web.Request) -> web.Response:
        """What `SCENE` names."""
        registry = self._cloud.registries.get(request.match_info["registry"].lower())
        connected = registry.connected.get(request.match_info["name"].lower()) if registry else None
        if connected is None:
            return _refusal(404, f"There is no connected registry {request.path.split('/connectedregistries/')[1]}.")
        try:
            _set_scene(connected, await _json(request))
        except ControlError as error:
            return _refusal(400, str(error))
        return web.json_response(_connected(connected, self._plane.clock.now()))


def _set_scene(connected: ConnectedRegistry, body: dict[str, Any]) -> None:
    """Apply all of it, or nothing if a value is wrong."""
    _nothing_left({key: value for key, value in body.items() if key not in SCENE}, SCENE)
    activation = _word(body["activation"], ACTIVATIONS) if "activation" in body else None
    state = _word(body["connectionState"], CONNECTIONS) if "connectionState" in body else None
    readers: dict[str, Callable[[Any], Any]] = {
        "lastSyncTime": _moment,
        "lastActivityTime": _moment,
        "registrySyncResult": _sync_result,
        "statusDetails": _details,
        "version": _version,
    }
    values = {key: readers[key](value) for key, value in body.items() if key in readers}
    if activation == "Inactive":
        connected.deactivate()
    elif activation is not None:
        connected.activation, connected.instance = "Active", connected.instance or "set by hand"
    if state is not None:
        connected.connection_state, connected.heard_at = state, None
    connected.last_sync = values.get("lastSyncTime", connected.last_sync)
    connected.last_activity = values.get("lastActivityTime", connected.last_activity)
    connected.sync_result = values.get("registrySyncResult", connected.sync_result)
    connected.status_details = values.get("statusDetails", connected.status_details)
    connected.version = values.get("version", connected.version)


def _sync_result(value: object) -> SyncResult:
    if not isinstance(value, dict):
        raise ControlError("registrySyncResult has to be an object.")
    known = ("syncTrigger", "syncState", *SYNC_TIMES)
    _nothing_left({key: left for key, left in value.items() if key not in known}, known)
    trigger, state = _word(value.get("syncTrigger"), SYNC_TRIGGERS), _word(value.get("syncState"), SYNC_STATES)
    return SyncResult(trigger, state, *(_moment(value.get(key)) for key in SYNC_TIMES))


def _details(value: object) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ControlError("statusDetails has to be a list of objects.")
    return value


def _version(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ControlError("version has to be a string or null.")
    return value


def _registry(registry: Registry, now: datetime) -> dict[str, Any]:
    return {
        "name": registry.name,
        "resourceGroup": registry.group,
        "location": registry.location,
        "sku": registry.sku,
        "state": registry.state,
        "loginServer": registry.login_server,
        "dataEndpointEnabled": registry.data_endpoint,
        "images": sorted(_references(registry)),
        "scopeMaps": {one.name: one.actions for one in registry.scope_maps.values() if not one.built_in},
        "tokens": [
            {
                "name": token.name,
                "scopeMap": token.scope_map,
                "status": token.status,
                "passwords": {slot: stamp(password.expiry) for slot, password in token.passwords.items()},
            }
            for token in registry.tokens.values()
        ],
        "connectedRegistries": [_connected(one, now) for one in registry.connected.values()],
    }


def _references(registry: Registry) -> Iterator[str]:
    return (f"{name}:{tag}" for name, repository in registry.images.repositories.items() for tag in repository.tags)


def _connected(connected: ConnectedRegistry, now: datetime) -> dict[str, Any]:
    connected.bring_up(now)
    return {
        "name": connected.name,
        "mode": connected.mode,
        "state": connected.state,
        "connectionState": connected.connection(now),
        "activation": connected.activation,
        "instance": connected.instance,
        "syncToken": connected.token,
        "lastSyncTime": stamp(connected.last_sync),
        "lastActivityTime": stamp(connected.last_activity),
        "statusDetails": connected.status_details,
        "version": connected.version,
    }


def _cluster(cluster: Cluster, now: datetime) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "resourceGroup": cluster.group,
        "kube": cluster.kube,
        "connectivityStatus": cluster.connectivity(now),
        "lastConnectivityTime": stamp(cluster.last_heard),
        "extensions": [
            {
                "name": one.name,
                "extensionType": one.extension_type,
                "generation": one.generation,
                "state": one.state,
                "error": one.error,
                "settings": one.settings,
                "protectedSettings": sorted(one.protected),
            }
            for one in cluster.extensions.values()
        ],
        "leaving": [one.name for one in cluster.leaving],
    }


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise ControlError(f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise ControlError("The body has to be a JSON object.")
    return body


def _nothing_left(body: dict[str, Any], fields: tuple[str, ...]) -> None:
    if body:
        raise ControlError(f"Unknown: {', '.join(sorted(body))}. Known: {', '.join(fields)}.")


def _word(value: object, words: tuple[str, ...]) -> str:
    for word in words:
        if word.lower() == str(value).lower():
            return word
    raise ControlError(f"{value!r} must be one of {', '.join(words)}.")


def _offers(body: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Api-versions by resource type in lower case."""
    types = {kind.full_name for kind in versions.ALL}
    for name, listed in body.items():
        if name.lower() not in types:
            raise ControlError(f"{name!r} is no resource type of this sandbox")
        if listed is not None and not (
            isinstance(listed, list) and all(versions.FORM.fullmatch(str(version)) for version in listed)
        ):
            raise ControlError(f"{name}: a list of api-versions, or null")
        yield name.lower(), None if listed is None else tuple(listed)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ControlError(f"{name} has to be a number, 0 or more.")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ControlError(f"{name} has to be a list of texts.")
    return tuple(value)


def _level(value: object, _name: str) -> str:
    return _word(value, LEVELS)


PRINCIPAL: dict[str, Callable[[Any, str], Any]] = {
    "role": lambda value, _: _word(value, tuple(ROLES)),
    "client_secret": lambda value, _: str(value),
    "actions": _texts,
    "denied_actions": _texts,
    "federated_subjects": _texts,
}
"""Readers of what can be changed about a principal."""


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ControlError(f"{value!r} is not an ISO 8601 moment.") from None
    if moment.tzinfo is None:
        raise ControlError(f"{value!r} needs an offset such as Z.")
    return moment


def _refusal(status: int, error: str) -> web.Response:
    return web.json_response({"error": error}, status=status)
