"""Steps on the cloud registry and its subscription."""

from datetime import timedelta

from services.model.azure import Pending
from services.model.errors import AlreadyExists
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import command_line, lines
from services.operations.deploy.outputs import ImageKept
from services.operations.step import Done, Going, Progress, Scene, Step, follow, followed
from services.policy.sites import Site


async def _register(scene: Scene) -> Progress:
    states = [
        await scene.azure.providers.register(scene.site.subscription, namespace)
        for namespace in scene.params["namespaces"]
    ]
    return Done() if all(state == "Registered" for state in states) else Going()


async def _registered(scene: Scene, _token: object) -> Progress:
    namespaces = scene.params["namespaces"]
    states = await scene.azure.providers.states(scene.site.subscription, namespaces)
    return Done() if all(states.get(namespace) == "Registered" for namespace in namespaces) else Going()


def _register_line(_site: Site, _operation: Operation, planned: PlannedStep) -> str:
    namespaces = planned.params["namespaces"]
    return lines(
        command_line("az provider register", namespace=namespace)
        for namespace in (namespaces if isinstance(namespaces, tuple) else ())
    )


async def _create(scene: Scene) -> Progress:
    return followed(await scene.azure.registries.create(scene.site.acr_ref, scene.params["location"]))


def _create_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr create",
        name=planned.params["name"],
        resource_group=site.acr_ref.resource_group,
        location=planned.params["location"],
        sku="Premium",
        data_endpoint_enabled="true",
    )


async def _enable_data_endpoint(scene: Scene) -> Progress:
    return followed(await scene.azure.registries.enable_data_endpoint(scene.site.acr_ref))


def _data_endpoint_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr update",
        name=planned.params["name"],
        resource_group=site.acr_ref.resource_group,
        data_endpoint_enabled="true",
    )


async def _import(scene: Scene) -> Progress:
    try:
        begun = await scene.azure.registries.import_image(
            scene.site.acr_ref, scene.params["source"], scene.params["image"]
        )
    except AlreadyExists:
        return Done(ImageKept(scene.params["image"]))
    return followed(begun)


async def _imported(scene: Scene, token: Pending) -> Progress:
    try:
        return await follow(scene, token)
    except AlreadyExists:
        return Done(ImageKept(scene.params["image"]))


def _import_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr import", name=site.acr_ref.name, source=planned.params["source"], image=planned.params["image"]
    )


async def _put_scope_map(scene: Scene) -> Progress:
    return followed(
        await scene.azure.scope_maps.put(
            scene.site.acr_ref,
            scene.params["name"],
            scene.params["actions"],
            f"Created by the registry bot for the sync of connected registry {scene.name}.",
        )
    )


def _scope_map_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    actions = planned.params["actions"]
    verbs: dict[tuple[str, str], list[str]] = {}
    # `repositories/team/app/content/read` is `--repository team/app content/read` to the Azure CLI.
    for action in actions if isinstance(actions, tuple) else ():
        target, noun, verb = str(action).rsplit("/", 2)
        kind, _, name = target.partition("/")
        verbs.setdefault(({"repositories": "repository"}.get(kind, kind), name), []).append(f"{noun}/{verb}")
    options = [command_line("", **{kind: (name, *given)}).strip() for (kind, name), given in verbs.items()]
    return " ".join([command_line("az acr scope-map create", name=planned.params["name"], **_acr(site)), *options])


async def _put_token(scene: Scene) -> Progress:
    scope_map = f"{scene.site.acr_ref.id}/scopeMaps/{scene.params['scope_map']}"
    return followed(await scene.azure.tokens.put(scene.site.acr_ref, scene.params["name"], scope_map))


def _token_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr token create",
        name=planned.params["name"],
        **_acr(site),
        scope_map=planned.params["scope_map"],
        no_passwords="true",
    )


def _acr(site: Site) -> dict[str, object]:
    return {"registry": site.acr_ref.name, "resource_group": site.acr_ref.resource_group}


REGISTER_PROVIDERS = Step(
    "provider.register",
    _register,
    _register_line,
    wait=_registered,
    interval=10,
    within=timedelta(minutes=15),
)
CREATE_ACR = Step("acr.create", _create, _create_line, wait=follow)
ENABLE_DATA_ENDPOINT = Step("acr.data_endpoint", _enable_data_endpoint, _data_endpoint_line, wait=follow)
IMPORT_IMAGE = Step("acr.import", _import, _import_line, wait=_imported)
PUT_SCOPE_MAP = Step("scope_map.put", _put_scope_map, _scope_map_line, wait=follow)
PUT_SYNC_TOKEN = Step("sync_token.put", _put_token, _token_line, wait=follow, interval=2)
