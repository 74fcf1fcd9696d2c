"""Microsoft.ContainerRegistry: scope maps, tokens and their passwords."""

import re
from datetime import UTC, datetime
from typing import Any

from sandbox.azure import versions
from sandbox.azure.arm import Answer, Call, ControlPlane, Router, pages
from sandbox.azure.cloud import Origin, Password, Registry, ScopeMap, Token, stamp
from sandbox.azure.errors import child_not_found, refused
from sandbox.azure.operations import Operation
from sandbox.azure.registries import KIND, NAMESPACE, REGISTRY, find_registry, results_path
from sandbox.azure.shapes import Shape

NAME = re.compile(r"[a-zA-Z0-9-]{5,50}")
ACTION = re.compile(
    r"repositories/[a-z0-9*][a-z0-9*._/-]*/(content/(read|write|delete)|metadata/(read|write))"
    r"|gateway/[a-z0-9_-]{5,50}/(config|message)/(read|write)",
    re.IGNORECASE,
)
CEILING = 500
"""Limit of a scope map's actions (Azure CLI)."""
LIMIT = 20_000
"""Limit of a registry's scope maps, and of its tokens (ACR service limits)."""
PAGE = 100
SLOTS = ("password1", "password2")
SCOPE_MAP = f"{REGISTRY}/scopeMaps/{{scope_map}}"
TOKEN = f"{REGISTRY}/tokens/{{token}}"
MAP_BODY: Shape = {"properties": {"actions": [str], "description": str}}
TOKEN_BODY: Shape = {
    "properties": {"scopeMapId": str, "status": str, "credentials": {"passwords": [{"name": str, "expiry": str}]}}
}
CREDENTIALS_BODY: Shape = {"tokenId": str, "name": str, "expiry": str}


class Tokens:
    """Routes of scope maps, tokens and `generateCredentials`."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._cloud = plane.cloud

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind, action = versions.SCOPE_MAPS, f"{KIND}/scopeMaps"
        router.add("GET", f"{REGISTRY}/scopeMaps", self._list_maps, kind=kind, action=f"{action}/read")
        router.add("GET", SCOPE_MAP, self._get_map, kind=kind, action=f"{action}/read")
        router.add("PUT", SCOPE_MAP, self._put_map, kind=kind, action=f"{action}/write", body=MAP_BODY)
        router.add("PATCH", SCOPE_MAP, self._patch_map, kind=kind, action=f"{action}/write", body=MAP_BODY)
        router.add("DELETE", SCOPE_MAP, self._delete_map, kind=kind, action=f"{action}/delete")
        kind, action = versions.TOKENS, f"{KIND}/tokens"
        router.add("GET", f"{REGISTRY}/tokens", self._list_tokens, kind=kind, action=f"{action}/read")
        router.add("GET", TOKEN, self._get_token, kind=kind, action=f"{action}/read")
        router.add("PUT", TOKEN, self._put_token, kind=kind, action=f"{action}/write", body=TOKEN_BODY)
        router.add("PATCH", TOKEN, self._patch_token, kind=kind, action=f"{action}/write", body=TOKEN_BODY)
        router.add("DELETE", TOKEN, self._delete_token, kind=kind, action=f"{action}/delete")
        statuses = "operationStatuses/{operation}"
        for path, kind in ((TOKEN, versions.TOKENS), (SCOPE_MAP, versions.SCOPE_MAPS)):
            read = f"{NAMESPACE}/{kind.name}/operationStatuses/read"
            router.add("GET", f"{path}/{statuses}", self._plane.status, kind=kind, action=read)
        kind, action = versions.CREDENTIALS, f"{KIND}/generateCredentials/action"
        path = f"{REGISTRY}/generateCredentials"
        router.add("POST", path, self._generate, kind=kind, action=action, body=CREDENTIALS_BODY)

    def _list_maps(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/scopeMaps")
        bodies = [self._map_body(registry, scope_map) for scope_map in registry.scope_maps.values()]
        return Answer(200, pages(bodies, call, PAGE))

    def _get_map(self, call: Call) -> Answer:
        registry, scope_map = self._map(call)
        return Answer(200, self._map_body(registry, scope_map))

    def _put_map(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/scopeMaps")
        name = _checked_name(call.names["scope_map"], "scope map")
        actions = _actions(call.properties.get("actions"))
        scope_map = registry.scope_maps.get(name.lower())
        if scope_map is None:
            _check_room(registry.name, "scope maps", len(registry.scope_maps))
            origin = Origin.now(call.principal.client_id, call.now)
            scope_map = ScopeMap(name, actions, call.now, origin)
            registry.scope_maps[name.lower()] = scope_map
        _check_not_built_in(scope_map)
        scope_map.actions, scope_map.description = actions, call.properties.get("description") or ""
        scope_map.origin.change(call.principal.client_id, call.now)
        return Answer(200, self._map_body(registry, scope_map))

    def _patch_map(self, call: Call) -> Answer:
        registry, scope_map = self._map(call)
        _check_not_built_in(scope_map)
        if call.properties.get("actions") is not None:
            scope_map.actions = _actions(call.properties["actions"])
        if call.properties.get("description") is not None:
            scope_map.description = call.properties["description"]
        scope_map.origin.change(call.principal.client_id, call.now)
        scope_map.state = "Updating"
        return self._settling(call, scope_map, self._map_body(registry, scope_map))

    def _delete_map(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/scopeMaps")
        scope_map = registry.scope_maps.get(call.names["scope_map"].lower())
        if scope_map is None:
            return Answer(204)
        _check_not_built_in(scope_map)
        users = [token.name for token in registry.tokens.values() if token.scope_map.lower() == scope_map.name.lower()]
        if users:
            raise refused(
                "ScopeMapInUse",
                f"The scope map {scope_map.name} cannot be deleted because it is associated with tokens: "
                f"{', '.join(users)}.",
                status=409,
            )

        scope_map.state = "Deleting"

        def finish(operation: Operation) -> None:
            registry.scope_maps.pop(scope_map.name.lower(), None)
            operation.succeed()

        return self._removed(call, registry, finish)

    def _map(self, call: Call) -> tuple[Registry, ScopeMap]:
        registry = find_registry(self._cloud, call, child="registries/scopeMaps")
        scope_map = registry.scope_maps.get(call.names["scope_map"].lower())
        if scope_map is None:
            raise child_not_found(call.names["scope_map"])
        return registry, scope_map

    def _map_body(self, registry: Registry, scope_map: ScopeMap) -> dict[str, Any]:
        return {
            "type": f"{KIND}/scopeMaps",
            "properties": {
                "description": scope_map.description,
                "type": "SystemDefined" if scope_map.built_in else "UserDefined",
                "creationDate": stamp(scope_map.created),
                "provisioningState": scope_map.state,
                "actions": list(scope_map.actions),
            },
            "id": f"{self._cloud.registry_id(registry)}/scopeMaps/{scope_map.name}",
            "name": scope_map.name,
            "systemData": scope_map.origin.body(),
        }

    def _list_tokens(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/tokens")
        bodies = [self._token_body(registry, token) for token in registry.tokens.values()]
        return Answer(200, pages(bodies, call, PAGE))

    def _get_token(self, call: Call) -> Answer:
        registry, token = self._token(call)
        return Answer(200, self._token_body(registry, token))

    def _put_token(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/tokens")
        name = _checked_name(call.names["token"], "token")
        scope_map = self._scope_map_of(registry, call.properties.get("scopeMapId"))
        status, passwords = _status(call.properties.get("status") or "enabled"), _kept_passwords(call)
        token = registry.tokens.get(name.lower())
        new = token is None
        if token is None:
            _check_room(registry.name, "tokens", len(registry.tokens))
            token = Token(name, scope_map.name, call.now, Origin.now(call.principal.client_id, call.now))
            registry.tokens[name.lower()] = token
        token.scope_map, token.status = scope_map.name, status
        _drop_passwords(token, passwords)
        token.state = "Creating" if new else "Updating"
        return self._settling(call, token, self._token_body(registry, token))

    def _patch_token(self, call: Call) -> Answer:
        registry, token = self._token(call)
        status, passwords = _status(call.properties.get("status") or token.status), _kept_passwords(call)
        if call.properties.get("scopeMapId") is not None:
            token.scope_map = self._scope_map_of(registry, call.properties["scopeMapId"]).name
        token.status = status
        _drop_passwords(token, passwords)
        token.origin.change(call.principal.client_id, call.now)
        if call.prompt:
            return Answer(200, self._token_body(registry, token))
        token.state = "Updating"
        return self._settling(call, token, self._token_body(registry, token))

    def _settling(self, call: Call, changed: Token | ScopeMap, body: dict[str, Any]) -> Answer:
        """201 with what `body` shows, until an operation has ended."""

        def finish(operation: Operation) -> None:
            if changed.state in ("Creating", "Updating"):
                changed.state = "Succeeded"
            operation.succeed()

        prefix = "token-" if isinstance(changed, Token) else "scopeMap-"
        operation = self._plane.begin(prefix, call.path, finish, changed.state)
        return Answer(201, body, self._plane.watch(call, f"{body['id']}/operationStatuses/{operation.id}"))

    def _delete_token(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/tokens")
        token = registry.tokens.get(call.names["token"].lower())
        if token is None:
            return Answer(204)
        users = [one.name for one in registry.connected.values() if one.token.lower() == token.name.lower()]
        if users:
            raise refused(
                "TokenInUse",
                f"The token {token.name} cannot be deleted because it is the sync token of connected registry "
                f"{', '.join(users)}. Disable the token, or delete the connected registry first.",
                status=409,
            )

        token.state = "Deleting"

        def finish(operation: Operation) -> None:
            registry.tokens.pop(token.name.lower(), None)
            token_id = f"{self._cloud.registry_id(registry)}/tokens/{token.name}".lower()
            for connected in registry.connected.values():
                connected.client_tokens = [one for one in connected.client_tokens if one.lower() != token_id]
            operation.succeed()

        return self._removed(call, registry, finish)

    def _removed(self, call: Call, registry: Registry, finish: Any) -> Answer:
        if call.prompt:
            finish(Operation("", call.path, call.now))
            return Answer(200)
        operation = self._plane.begin("delete-", call.path, finish, "Deleting")
        return Answer(202, None, self._plane.fetch(call, results_path(self._cloud, registry, operation)))

    def _token(self, call: Call) -> tuple[Registry, Token]:
        registry = find_registry(self._cloud, call, child="registries/tokens")
        token = registry.tokens.get(call.names["token"].lower())
        if token is None:
            raise child_not_found(call.names["token"])
        return registry, token

    def _scope_map_of(self, registry: Registry, scope_map_id: str | None) -> ScopeMap:
        if not scope_map_id:
            raise refused("InvalidParameters", "The scopeMapId of the token is missing.")
        prefix, _, name = scope_map_id.rpartition("/")
        expected = f"{self._cloud.registry_id(registry)}/scopeMaps"
        scope_map = registry.scope_maps.get(name.lower())
        if prefix.lower() != expected.lower() or scope_map is None:
            raise refused("InvalidScopeMap", f"The scope map {scope_map_id} could not be found.", status=404)
        return scope_map

    def _token_body(self, registry: Registry, token: Token) -> dict[str, Any]:
        base = self._cloud.registry_id(registry)
        return {
            "type": f"{KIND}/tokens",
            "properties": {
                "scopeMapId": f"{base}/scopeMaps/{token.scope_map}",
                "provisioningState": token.state,
                "status": token.status,
                "creationDate": stamp(token.created),
                "credentials": {
                    "certificates": [],
                    "passwords": [_password_body(token.passwords[slot]) for slot in SLOTS if slot in token.passwords],
                },
            },
            "id": f"{base}/tokens/{token.name}",
            "name": token.name,
            "systemData": token.origin.body(),
        }

    def _generate(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/generateCredentials")
        token = self._token_of(registry, call.body.get("tokenId"))
        expiry = _moment(call.body.get("expiry"))
        if expiry is not None and expiry <= call.now:
            raise refused("InvalidParameters", "The expiry of the credential has to be in the future.")
        passwords = []
        for slot in _slots(call.body.get("name")):
            password, value = Password.mint(slot, call.now, expiry)
            token.passwords[slot] = password
            self._cloud.minted.add(value)
            passwords.append(_password_body(password) | {"value": value})
        return Answer(200, {"username": token.name, "passwords": passwords})

    def _token_of(self, registry: Registry, token_id: str | None) -> Token:
        prefix, _, name = (token_id or "").rpartition("/")
        token = registry.tokens.get(name.lower())
        if token is None or prefix.lower() != f"{self._cloud.registry_id(registry)}/tokens".lower():
            raise refused("ResourceNotFound", f"The token {token_id} could not be found.", status=404)
        return token


def _password_body(password: Password) -> dict[str, Any]:
    body: dict[str, Any] = {"creationTime": stamp(password.created), "name": password.name}
    if password.expiry is not None:
        body["expiry"] = stamp(password.expiry)
    return body


def _slots(name: str | None) -> tuple[str, ...]:
    if name is None:
        return SLOTS
    if name not in SLOTS:
        raise refused("InvalidParameters", f"The credential name '{name}' is not one of password1, password2.")
    return (name,)


def _kept_passwords(call: Call) -> dict[str, datetime | None] | None:
    """The passwords that a PUT or PATCH lists, with their expiry; None if it doesn't list any."""
    passwords = (call.properties.get("credentials") or {}).get("passwords")
    if passwords is None:
        return None
    return {entry.get("name") or "": _moment(entry.get("expiry")) for entry in passwords}


def _drop_passwords(token: Token, expiries: dict[str, datetime | None] | None) -> None:
    if expiries is None:
        return
    token.passwords = {slot: password for slot, password in token.passwords.items() if slot in expiries}
    for slot, password in token.passwords.items():
        password.expiry = expiries[slot] or password.expiry


def _checked_name(name: str, kind: str) -> str:
    if not NAME.fullmatch(name):
        raise refused(
            "InvalidResourceName",
            f"The {kind} name '{name}' is invalid. It must be between 5 and 50 characters, and may contain "
            "alphanumeric characters and '-' only.",
        )
    return name


def _check_room(registry: str, kind: str, count: int) -> None:
    if count >= LIMIT:
        raise refused("LimitExceeded", f"Registry {registry} holds {count} {kind}, which is its limit.", status=403)


def _check_not_built_in(scope_map: ScopeMap) -> None:
    if scope_map.built_in:
        raise refused(
            "SystemDefinedScopeMap", f"The system defined scope map {scope_map.name} cannot be changed.", status=409
        )


def _actions(actions: list[str] | None) -> list[str]:
    if not actions:
        raise refused("InvalidParameters", "The actions of the scope map are missing.")
    for action in actions:
        if not ACTION.fullmatch(action):
            raise refused("InvalidScopeMapActions", f"The scope map action '{action}' is not valid.")
    if len(actions) > CEILING:
        raise refused(
            "ScopeMapActionLimitExceeded",
            f"The scope map has {len(actions)} actions, which exceeds the limit of {CEILING}.",
        )
    return list(dict.fromkeys(actions))


def _status(status: str) -> str:
    if status.lower() not in ("enabled", "disabled"):
        raise refused("InvalidParameters", f"The token status '{status}' is not one of enabled, disabled.")
    return status.lower()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refused("InvalidParameters", f"'{text}' is not a date and time.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
