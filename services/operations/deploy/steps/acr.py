"""Steps on the cloud registry and its subscription."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.model.azure import Pending
from services.model.errors import AlreadyExists
from services.operations.step import Done, Going, Progress, Scene, Step
from services.policy.sites import Site


def followed(pending: Pending) -> Progress:
    """What an ARM call answered, as a step's progress."""
    if pending.kind == "done":
        return Done(correlation_id=pending.correlation_id)
    return Going(pending, pending.correlation_id)


async def follow(scene: Scene, token: Pending) -> Progress:
    """Ask an asynchronous ARM operation how it is doing."""
    return followed(await scene.azure.operations.poll(token))


async def _register(scene: Scene) -> Progress:
    states = [
        await scene.azure.providers.register(scene.site.subscription, namespace)
        for namespace in scene.params["namespaces"]
    ]
    return Done() if all(state == "Registered" for state in states) else Going()


async def _registered(scene: Scene, _token: object) -> Progress:
    wanted = scene.params["namespaces"]
    states = await scene.azure.providers.states(scene.site.subscription, wanted)
    return Done() if all(states.get(namespace) == "Registered" for namespace in wanted) else Going()


def _register_line(_site: Site, _name: str, params: Mapping[str, Any]) -> str:
    return "\n".join(f"az provider register --namespace {namespace}" for namespace in params["namespaces"])


async def _create(scene: Scene) -> Progress:
    return followed(await scene.azure.registries.create(scene.site.acr_ref, scene.params["location"]))


async def _enable_data_endpoint(scene: Scene) -> Progress:
    return followed(await scene.azure.registries.enable_data_endpoint(scene.site.acr_ref))


async def _import(scene: Scene) -> Progress:
    try:
        begun = await scene.azure.registries.import_image(
            scene.site.acr_ref, scene.params["source"], scene.params["image"]
        )
    except AlreadyExists:
        return Done({f"kept {scene.params['image']}": True})
    return followed(begun)


async def _imported(scene: Scene, token: Pending) -> Progress:
    try:
        return await follow(scene, token)
    except AlreadyExists:
        return Done({f"kept {scene.params['image']}": True})


async def _put_scope_map(scene: Scene) -> Progress:
    return followed(
        await scene.azure.scope_maps.put(
            scene.site.acr_ref,
            scene.params["name"],
            scene.params["actions"],
            f"Created by the registry bot for the sync of connected registry {scene.name}.",
        )
    )


async def _put_token(scene: Scene) -> Progress:
    scope_map = f"{scene.site.acr_ref.id}/scopeMaps/{scene.params['scope_map']}"
    return followed(await scene.azure.tokens.put(scene.site.acr_ref, scene.params["name"], scope_map))


def _acr(site: Site) -> str:
    return f"--registry {site.acr_ref.name} --resource-group {site.acr_ref.resource_group}"


def _scope_map_line(site: Site, _name: str, params: Mapping[str, Any]) -> str:
    by_resource: dict[str, list[str]] = {}
    for action in params["actions"]:
        resource, _, verb = action.rpartition("/")
        resource, _, noun = resource.rpartition("/")
        by_resource.setdefault(resource, []).append(f"{noun}/{verb}")
    options = "".join(
        f" --{kind.removesuffix('ies') + 'y' if kind == 'repositories' else kind} {target} {' '.join(verbs)}"
        for (kind, _, target), verbs in ((key.partition("/"), verbs) for key, verbs in by_resource.items())
    )
    return f"az acr scope-map create --name {params['name']} {_acr(site)}{options}"


REGISTER_PROVIDERS = Step(
    "provider.register",
    "Registration of resource providers",
    _register,
    _register_line,
    wait=_registered,
    interval=10,
    within=timedelta(minutes=15),
)
CREATE_ACR = Step(
    "acr.create",
    "Cloud registry {name}",
    _create,
    lambda site, _name, params: (
        f"az acr create --name {params['name']} --resource-group {site.acr_ref.resource_group}"
        f" --location {params['location']} --sku Premium --data-endpoint-enabled true"
    ),
    wait=follow,
)
ENABLE_DATA_ENDPOINT = Step(
    "acr.data_endpoint",
    "Data endpoint of {name}",
    _enable_data_endpoint,
    lambda site, _name, params: (
        f"az acr update --name {params['name']} --resource-group {site.acr_ref.resource_group}"
        " --data-endpoint-enabled true"
    ),
    wait=follow,
)
IMPORT_IMAGE = Step(
    "acr.import",
    "Image {image}",
    _import,
    lambda site, _name, params: (
        f"az acr import --name {site.acr_ref.name} --source {params['source']} --image {params['image']}"
    ),
    wait=_imported,
)
PUT_SCOPE_MAP = Step("scope_map.put", "Scope map {name}", _put_scope_map, _scope_map_line, wait=follow)
PUT_SYNC_TOKEN = Step(
    "sync_token.put",
    "Sync token {name}",
    _put_token,
    lambda site, _name, params: (
        f"az acr token create --name {params['name']} {_acr(site)} --scope-map {params['scope_map']}"
        " --no-passwords true"
    ),
    wait=follow,
    interval=2,
)
