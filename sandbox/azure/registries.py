"""Microsoft.ContainerRegistry: registries, their names, usages and credentials, and the import of images."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.azure import versions
from sandbox.azure.arm import Answer, Call, ControlPlane, Router
from sandbox.azure.cloud import Cloud, Origin, Registry, secret, stamp
from sandbox.azure.errors import (
    ArmError,
    group_not_found,
    parent_not_found,
    refused,
    resource_not_found,
)
from sandbox.azure.images import Image, sample_image, split_reference
from sandbox.azure.operations import Operation
from sandbox.azure.shapes import ANY, Shape

NAMESPACE = "Microsoft.ContainerRegistry"
KIND = f"{NAMESPACE}/registries"
SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = "/subscriptions/{subscription}/resourcegroups/{group}"
REGISTRY = f"{GROUP}/providers/{NAMESPACE}/registries/{{registry}}"
NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
REPOSITORY = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
SKUS = {"basic": "Basic", "standard": "Standard", "premium": "Premium"}
SIZES = {"Basic": 10, "Standard": 100, "Premium": 500}
"""Included storage in GiB."""
FREE_SETTINGS = {
    "publicNetworkAccess": "Enabled",
    "networkRuleBypassOptions": "AzureServices",
    "zoneRedundancy": "Disabled",
    "anonymousPullEnabled": False,
    "roleAssignmentMode": "LegacyRegistryPermissions",
    "metadataSearch": "Disabled",
    "encryption": {"status": "disabled"},
    "policies": {
        "quarantinePolicy": {"status": "disabled"},
        "trustPolicy": {"type": "Notary", "status": "disabled"},
        "retentionPolicy": {"days": 7, "status": "disabled"},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
        "softDeletePolicy": {"retentionDays": 7, "status": "disabled"},
    },
}
"""Properties that are stored as sent, with their defaults."""
PREMIUM_SETTINGS = {"networkRuleSet": {"defaultAction": "Allow", "ipRules": []}}
EMPTY_COLLECTIONS = ("replications", "webhooks", "cacheRules", "credentialSets", "privateEndpointConnections")
"""Child collections that clients list and that are always empty here."""
ADMIN_PASSWORDS = ("password", "password2")
IMPORT_MODES = ("noforce", "force")
BODY: Shape = {
    "location": str,
    "sku": {"name": str},
    "tags": {ANY: str},
    "identity": {"type": str},
    "properties": {
        "adminUserEnabled": bool,
        "dataEndpointEnabled": bool,
        **{name: type(value) for name, value in (FREE_SETTINGS | PREMIUM_SETTINGS).items()},
    },
}
IMPORT_BODY: Shape = {
    "source": {
        "sourceImage": str,
        "registryUri": str,
        "resourceId": str,
        "credentials": {"username": str, "password": str},
    },
    "targetTags": [str],
    "untaggedTargetRepositories": [str],
    "mode": str,
}
NAME_BODY: Shape = {"name": str}


def registry_body(cloud: Cloud, registry: Registry) -> dict[str, Any]:
    """A registry as ARM shows it."""
    premium = PREMIUM_SETTINGS if registry.sku == "Premium" else {}
    body: dict[str, Any] = {
        "sku": {"name": registry.sku, "tier": registry.sku},
        "type": KIND,
        "id": cloud.registry_id(registry),
        "name": registry.name,
        "location": registry.location,
        "tags": registry.tags,
        "systemData": registry.origin.body(),
        "properties": {
            "loginServer": registry.login_server,
            "creationDate": stamp(registry.created),
            "provisioningState": registry.state,
            "adminUserEnabled": registry.admin_user,
            "dataEndpointEnabled": registry.data_endpoint,
            "dataEndpointHostNames": [registry.gateway] if registry.data_endpoint else [],
            "privateEndpointConnections": [],
            **FREE_SETTINGS,
            **premium,
            **registry.settings,
        },
    }
    if registry.identity is not None:
        body["identity"] = registry.identity
    return body


def find_registry(cloud: Cloud, call: Call, *, child: str | None = None) -> Registry:
    """The registry of a route, or the 404 that ARM answers, for itself or for what lies below it (`child`)."""
    if cloud.group(call.names["group"]) is None:
        raise group_not_found(call.names["group"])
    name = call.names["registry"]
    registry = cloud.registry(call.names["group"], name)
    if registry is not None:
        refusal = registry.trouble(call.now) if registry.trouble else None
        if refusal is not None:
            raise refusal
        return registry
    if child is None:
        raise resource_not_found(KIND, name, call.names["group"])
    parent = f"/subscriptions/{cloud.subscription}/resourceGroups/{call.names['group']}/providers/{KIND}/{name}"
    raise parent_not_found(call.method, child, parent)


class Registries:
    """Routes of registries.

    `open_door` opens the port of a registry's images and sets `login_server`; it is awaited before the registry is
    shown.
    """

    def __init__(self, plane: ControlPlane, open_door: Callable[[Registry], Awaitable[None]]) -> None:
        self._plane = plane
        self._cloud = plane.cloud
        self._open_door = open_door

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind, names = versions.REGISTRIES, versions.REGISTRY_NAMES
        read, write = f"{KIND}/read", f"{KIND}/write"
        path = f"{SUBSCRIPTION}/providers/{NAMESPACE}/checkNameAvailability"
        action = f"{NAMESPACE}/checkNameAvailability/read"
        router.add("POST", path, self._check_name, kind=names, action=action, body=NAME_BODY)
        router.add("GET", f"{SUBSCRIPTION}/providers/{NAMESPACE}/registries", self._list, kind=kind, action=read)
        router.add("GET", f"{GROUP}/providers/{NAMESPACE}/registries", self._list, kind=kind, action=read)
        router.add("GET", REGISTRY, self._get, kind=kind, action=read)
        router.add("PUT", REGISTRY, self._put, kind=kind, action=write, body=BODY)
        router.add("PATCH", REGISTRY, self._patch, kind=kind, action=write, body=BODY)
        router.add("DELETE", REGISTRY, self._delete, kind=kind, action=f"{KIND}/delete")
        router.add("GET", f"{REGISTRY}/listUsages", self._usages, kind=kind, action=f"{KIND}/listUsages/read")
        action = f"{KIND}/listCredentials/action"
        router.add("POST", f"{REGISTRY}/listCredentials", self._credentials, kind=kind, action=action)
        action = f"{KIND}/regenerateCredential/action"
        path = f"{REGISTRY}/regenerateCredential"
        router.add("POST", path, self._regenerate, kind=kind, action=action, body=NAME_BODY)
        for name in EMPTY_COLLECTIONS:
            router.add("GET", f"{REGISTRY}/{name}", self._empty, kind=kind, action=f"{KIND}/{name}/read")
        action = f"{KIND}/importImage/action"
        path = f"{REGISTRY}/importImage"
        router.add("POST", path, self._import, kind=versions.IMPORT, action=action, body=IMPORT_BODY)
        kind, action = versions.REGISTRY_OPERATIONS, f"{KIND}/operationStatuses/read"
        router.add("GET", f"{REGISTRY}/operationStatuses/{{operation}}", self._plane.status, kind=kind, action=action)
        path = f"{SUBSCRIPTION}/providers/{NAMESPACE}/locations/{{location}}/operationResults/{{operation}}"
        action = f"{NAMESPACE}/locations/operationResults/read"
        router.add("GET", path, self._plane.result, kind=versions.REGISTRY_RESULTS, action=action)

    def _check_name(self, call: Call) -> Answer:
        name = call.body.get("name") or ""
        if not NAME.fullmatch(name):
            message = (
                f"The specified registry name '{name}' is invalid. Registry names must be between 5 and 50 "
                "characters, and may contain alphanumeric characters only."
            )
            return Answer(200, {"nameAvailable": False, "reason": "Invalid", "message": message})
        if name.lower() in self._cloud.registries:
            message = f"The registry {name} is already in use."
            return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        return Answer(200, {"nameAvailable": True, "availableLoginServerName": f"{name.lower()}.azurecr.io"})

    def _list(self, call: Call) -> Answer:
        group = call.names.get("group")
        if group is not None and self._cloud.group(group) is None:
            raise group_not_found(group)
        bodies = [
            registry_body(self._cloud, registry)
            for registry in self._cloud.registries.values()
            if group is None or registry.group.lower() == group.lower()
        ]
        return Answer(200, {"value": bodies})

    def _get(self, call: Call) -> Answer:
        return Answer(200, registry_body(self._cloud, find_registry(self._cloud, call)))

    async def _put(self, call: Call) -> Answer:
        existing = self._placed(call)
        if existing is not None:
            self._change(existing, call)
            return Answer(200, registry_body(self._cloud, existing))
        registry = self._new(call)
        await self._open_door(registry)
        self._cloud.registries[registry.name.lower()] = registry
        if call.prompt:
            return Answer(200, registry_body(self._cloud, registry))
        registry.state = "Creating"

        def finish(operation: Operation) -> None:
            registry.state = "Succeeded"
            operation.succeed()

        operation = self._plane.begin("registries-", call.path, finish, "Creating")
        path = f"{self._cloud.registry_id(registry)}/operationStatuses/{operation.id}"
        return Answer(201, registry_body(self._cloud, registry), self._plane.watch(call, path))

    def _placed(self, call: Call) -> Registry | None:
        """The registry that a PUT changes; raises if the name is taken in another group."""
        group, name = call.names["group"], call.names["registry"]
        if self._cloud.group(group) is None:
            raise group_not_found(group)
        registry = self._cloud.registries.get(name.lower())
        if registry is not None and registry.group.lower() != group.lower():
            raise refused(
                "AlreadyInUse",
                f"The registry DNS name {registry.host} is already in use. You can check if the name is already "
                "claimed using following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/"
                "checknameavailability",
                status=409,
            )
        if registry is not None and _location(call) != registry.location:
            raise ArmError(
                409,
                "InvalidResourceLocation",
                f"The resource '{registry.name}' already exists in location '{registry.location}' in resource group "
                f"'{registry.group}'. A resource with the same name cannot be created in location '{_location(call)}'. "
                "Please select a new resource name.",
            )
        return registry

    def _new(self, call: Call) -> Registry:
        name = call.names["registry"]
        if not NAME.fullmatch(name):
            raise refused(
                "InvalidRegistryName",
                f"The registry name '{name}' is invalid. Registry names must be between 5 and 50 characters, and may "
                "contain alphanumeric characters only.",
            )
        origin = Origin.now(call.principal.client_id, call.now)
        registry = Registry(name, call.names["group"], _location(call), _sku(call), call.now, origin)
        self._apply(registry, call)
        return registry

    def _patch(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call)
        self._change(registry, call)
        return Answer(200, registry_body(self._cloud, registry))

    def _change(self, registry: Registry, call: Call) -> None:
        sku = _sku(call) if call.body.get("sku") is not None else registry.sku
        if sku != "Premium" and registry.connected:
            raise refused(
                "SkuDowngradeNotAllowed",
                f"The SKU of registry {registry.name} cannot be changed to {sku} while it has connected registries. "
                "Delete the connected registries first.",
                status=409,
            )
        before, registry.sku = registry.sku, sku
        try:
            self._apply(registry, call)
        except ArmError:
            registry.sku = before
            raise
        registry.origin.change(call.principal.client_id, call.now)

    def _apply(self, registry: Registry, call: Call) -> None:
        properties = call.properties
        data_endpoint = properties.get("dataEndpointEnabled")
        if data_endpoint is None:
            data_endpoint = registry.data_endpoint
        if data_endpoint and registry.sku != "Premium":
            raise refused(
                "DataEndpointNotSupported",
                f"Dedicated data endpoint is not supported for the SKU {registry.sku}. "
                "For more information, please visit https://aka.ms/acr/skus.",
            )
        if not data_endpoint and registry.connected:
            raise refused(
                "DataEndpointInUse",
                f"The dedicated data endpoint of registry {registry.name} cannot be disabled while it has connected "
                "registries.",
                status=409,
            )
        registry.data_endpoint = data_endpoint
        if (admin := properties.get("adminUserEnabled")) is not None:
            registry.admin_user = admin
        for name in (*FREE_SETTINGS, *PREMIUM_SETTINGS):
            if properties.get(name) is not None:
                registry.settings[name] = properties[name]
        if (tags := call.body.get("tags")) is not None:
            registry.tags = tags
        if (identity := call.body.get("identity")) is not None:
            registry.identity = identity

    def _delete(self, call: Call) -> Answer:
        if self._cloud.group(call.names["group"]) is None:
            raise group_not_found(call.names["group"])
        registry = self._cloud.registry(call.names["group"], call.names["registry"])
        if registry is None:
            return Answer(204)
        if not call.prompt:
            self.forget(registry)
            return Answer(200)
        registry.state = "Deleting"

        def finish(operation: Operation) -> None:
            self.forget(registry)
            operation.succeed()

        operation = self._plane.begin(f"delete-{registry.name}-", call.path, finish, "Deleting")
        headers = self._plane.fetch(call, results_path(self._cloud, registry, operation))
        return Answer(202, registry_body(self._cloud, registry), headers)

    def forget(self, registry: Registry) -> None:
        """Remove a registry with everything below it."""
        if self._cloud.registries.get(registry.name.lower()) is registry:
            del self._cloud.registries[registry.name.lower()]

    def _usages(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call)
        size = sum(len(blob) for blob in registry.images.blobs.values())
        counts = {
            "Webhooks": (500 if registry.sku == "Premium" else 10, 0),
            "ScopeMaps": (20_000, len(registry.scope_maps)),
            "Tokens": (20_000, len(registry.tokens)),
            "ConnectedRegistries": (50 if registry.sku == "Premium" else 0, len(registry.connected)),
        }
        value = [{"name": "Size", "limit": SIZES[registry.sku] * 2**30, "currentValue": size, "unit": "Bytes"}]
        value += [
            {"name": name, "limit": limit, "currentValue": current, "unit": "Count"}
            for name, (limit, current) in counts.items()
        ]
        return Answer(200, {"value": value})

    def _empty(self, call: Call) -> Answer:
        find_registry(self._cloud, call, child=f"registries/{call.path.rsplit('/', 1)[-1]}")
        return Answer(200, {"value": []})

    def _credentials(self, call: Call) -> Answer:
        return Answer(200, _admin_body(self._admin(call)))

    def _regenerate(self, call: Call) -> Answer:
        registry, name = self._admin(call), call.body.get("name")
        if name not in ADMIN_PASSWORDS:
            raise refused("InvalidParameters", f"The password name '{name}' is not one of password, password2.")
        registry.admin_passwords[ADMIN_PASSWORDS.index(name)] = secret()
        return Answer(200, _admin_body(registry))

    def _admin(self, call: Call) -> Registry:
        """The registry, when its admin user is on."""
        registry = find_registry(self._cloud, call)
        if not registry.admin_user:
            raise refused(
                "UnauthorizedForCredentialOperations",
                f"Cannot perform credential operations for {call.path.rsplit('/', 1)[0]} as admin user is disabled. "
                "Kindly enable admin user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/"
                "container-registry-authentication#admin-account",
            )
        return registry

    def _import(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/importImage")
        source = call.body.get("source") or {}
        if not source.get("sourceImage"):
            raise refused("InvalidParameters", "The source image of the import is missing: source.sourceImage.")
        image = self._source(source, call)
        targets = [_target(target) for target in call.body.get("targetTags") or ()]
        untagged = call.body.get("untaggedTargetRepositories") or []
        if not targets and not untagged:
            targets = [split_reference(source["sourceImage"])]
        mode = call.body.get("mode") or "NoForce"
        if mode.lower() not in IMPORT_MODES:
            raise refused("InvalidParameters", f"The import mode '{mode}' is not one of NoForce, Force.")
        if mode.lower() != "force":
            for name, tag in targets:
                if registry.images.find(name, tag) is not None:
                    raise refused("Conflict", f"Tag {name}:{tag} already exists in target registry.", status=409)

        def finish(operation: Operation) -> None:
            now = self._plane.clock.now()
            for repository, tag in targets:
                registry.images.put(repository, tag, image, now)
            for repository in untagged:
                registry.images.put(repository, None, image, now)
            operation.succeed({"status": "Succeeded"})

        operation = self._plane.begin("registries-", call.path, finish, "InProgress")
        operation.accepted = {"status": "Accepted"}
        headers = self._plane.fetch(call, results_path(self._cloud, registry, operation))
        return Answer(202, operation.accepted, headers)

    def _source(self, source: dict[str, Any], call: Call) -> Image:
        reference, host = source["sourceImage"], (source.get("registryUri") or "").lower()
        owner = self._own_source(source, host, call)
        if owner is not None:
            repository, tag = split_reference(reference)
            image = owner.images.image(repository, tag)
            if image is None:
                raise _no_source(owner.login_server, reference, call)
            return image
        repository, tag = split_reference(reference)
        plain = f"{repository}:{tag}"
        if plain not in self._cloud.public_images.get(host, ()):
            raise _no_source(host, reference, call)
        return sample_image(f"{host}/{plain}")

    def _own_source(self, source: dict[str, Any], host: str, call: Call) -> Registry | None:
        if resource_id := source.get("resourceId"):
            owner = self._cloud.registries.get(resource_id.rstrip("/").rsplit("/", 1)[-1].lower())
            if owner is None:
                raise refused("InvalidParameters", f"The source registry '{resource_id}' could not be found.")
            return owner
        for owner in self._cloud.registries.values():
            if host in (owner.host, owner.login_server.lower()):
                credentials = source.get("credentials") or {}
                user, password = credentials.get("username") or "", credentials.get("password") or ""
                token = owner.tokens.get(user.lower())
                admin = owner.admin_user and user == owner.name and password in owner.admin_passwords
                if not admin and (token is None or not token.opens(password, call.now)):
                    raise refused(
                        "InvalidParameters",
                        f"Operation failed: unauthorized to read from {owner.login_server}. authentication required, "
                        "visit https://aka.ms/acr/authorization for more information.",
                    )
                return owner
        return None


def _admin_body(registry: Registry) -> dict[str, Any]:
    pairs = zip(ADMIN_PASSWORDS, registry.admin_passwords, strict=True)
    return {"username": registry.name, "passwords": [{"name": name, "value": value} for name, value in pairs]}


def results_path(cloud: Cloud, registry: Registry, operation: Operation) -> str:
    """Where the result of a POST or DELETE is fetched."""
    return (
        f"/subscriptions/{cloud.subscription}/providers/{NAMESPACE}/locations/{registry.location}"
        f"/operationResults/{operation.id}"
    )


def _target(reference: str) -> tuple[str, str]:
    repository, tag = split_reference(reference)
    if not REPOSITORY.fullmatch(repository) or not TAG.fullmatch(tag):
        raise refused("InvalidParameters", f"The target tag '{reference}' is not of the form repository:tag.")
    return repository, tag


def _no_source(host: str, reference: str, call: Call) -> ArmError:
    return refused(
        "InvalidParameters",
        f"Operation failed. Resource {call.path.rsplit('/', 1)[0]} Source image {host}/{reference} could not be found: "
        "MANIFEST_UNKNOWN: manifest is not found.",
    )


def _location(call: Call) -> str:
    return versions.region(
        call.body.get("location"),
        code="LocationNotAvailableForResourceType",
        where=f"resource type '{KIND}'. List of available regions for the resource type",
    )


def _sku(call: Call) -> str:
    name = (call.body.get("sku") or {}).get("name") or "Classic"
    if name.lower() == "classic":
        raise refused(
            "ClassicSkuDeprecated",
            "Classic SKU is now deprecated. Please select a managed SKU. Kindly refer to docs for instructions: "
            "https://docs.microsoft.com/en-us/azure/container-registry/container-registry-upgrade",
        )
    if name.lower() not in SKUS:
        raise refused("InvalidSku", f"The SKU '{name}' is not valid. The supported SKUs are Basic, Standard, Premium.")
    return SKUS[name.lower()]
