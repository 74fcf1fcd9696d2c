"""The one step of a deployment that carries a secret: it makes the sync token's password for the extension."""

from datetime import timedelta

from services.model.azure import Extension
from services.model.errors import Absent, Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import Variable, acr_options, command_line, fetched, kubectl_options, lines
from services.operations.deploy.causes import Cause
from services.operations.deploy.outputs import ExtensionInstalled, address_of
from services.operations.deploy.steps.verdict import raise_if_final
from services.operations.extension_steps import PROTECTED, UNDER_WAY, new_protected_settings, protected_file_lines
from services.operations.outputs import RegistryCreated
from services.operations.passwords import password_left, planned_slot
from services.operations.step import Done, Going, Progress, Scene, Step, is_there
from services.policy.extensions import SERVICE_ADDRESS
from services.policy.sites import Site

EXTENSIONS = "/providers/Microsoft.KubernetesConfiguration/extensions"
HOLD, RESERVE = "service_ip.hold", "service_ip.reserve"
"""The steps of which a plan has one: a Service that proves the address free, or the site file's word for it."""


async def _install(scene: Scene) -> Progress:
    """Look first: an extension that is being installed has got its password, and a new one would break it.

    Unless that is what has failed: a string that does not let the registry in leaves the extension under way for hours.
    """
    params = scene.params
    extension = await installed_before(scene)
    under_way = extension is not None and extension.provisioning_state.lower() in UNDER_WAY
    if extension and ((under_way and not scene.failed_before) or _fits(extension, scene)):
        return Going()
    endpoint = await _gateway_endpoint(scene)
    # Now, and not earlier: until the extension's own Service takes the address, the placeholder keeps others off it.
    if any(step.kind == HOLD for step in scene.operation.planned):
        namespace = scene.site.cluster.kubernetes.hold_namespace
        await (await scene.cluster()).release_addresses(namespace, scene.operation.id)
    async with new_protected_settings(scene, endpoint) as protected:
        pending = await scene.azure.extensions.create(
            scene.site.cluster_ref,
            params["name"],
            settings={**params["settings"], SERVICE_ADDRESS: address_of(scene.operation)},
            protected=protected,
            release_train=params["release_train"],
            version=params["version"],
        )
    return Going(correlation_id=pending.correlation_id)


async def installed_before(scene: Scene) -> Extension | None:
    """The extension, where there may be one. The first creation was preceded by a look at the whole cluster."""
    planned = next(step for step in scene.operation.planned if step.kind == INSTALL.kind)
    if not scene.repeated and planned.effect == "create":
        return None
    try:
        return await scene.azure.extensions.get(scene.site.cluster_ref, str(planned.params["name"]))
    except Absent:
        return None


def _fits(extension: Extension, scene: Scene) -> bool:
    settings = {**scene.params["settings"], SERVICE_ADDRESS: address_of(scene.operation)}
    return extension.provisioning_state.lower() == "succeeded" and settings.items() <= dict(extension.settings).items()


async def _gateway_endpoint(scene: Scene) -> str:
    created = scene.operation.output(RegistryCreated)
    if created is not None:
        return created.gateway_endpoint
    registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    if not registry.gateway_endpoint:
        raise Failure(Cause.GATEWAY_UNKNOWN, {"name": scene.name})
    return registry.gateway_endpoint


async def _installed(scene: Scene, _token: object) -> Progress:
    """Asks the extension itself, which says why it failed; the operation's status does not."""
    extension = await scene.azure.extensions.get(scene.site.cluster_ref, scene.params["name"])
    if extension.provisioning_state.lower() == "succeeded":
        problems = tuple(problem.message for problem in extension.problems if problem.message)
        return Done(ExtensionInstalled(extension.version, problems))
    failed = extension.provisioning_state.lower() in {"failed", "canceled"}
    await raise_if_final(scene, extension=extension, final=failed)
    return Going()


def _install_line(site: Site, operation: Operation, planned: PlannedStep) -> str:
    return lines(
        (
            *(_release_line(site) for step in operation.planned if step.kind == HOLD),
            *_settings_lines(site, operation, planned),
            _extension_line(site, operation, planned),
        )
    )


def _release_line(site: Site) -> str:
    place = kubectl_options(site, site.cluster.kubernetes.hold_namespace)
    return command_line("kubectl delete service registry-placeholder", **place, ignore_not_found=True)


_CONNECTION_STRING = Variable("connection_string")


def _settings_lines(site: Site, operation: Operation, planned: PlannedStep) -> tuple[str, ...]:
    get_settings = command_line(
        "az acr connected-registry get-settings",
        name=operation.target,
        **acr_options(site.acr_ref),
        parent_protocol=planned.params.get("parent_protocol", "https"),
        generate_password=str(planned.params["slot"])[-1],
        yes=True,
        query="ACR_REGISTRY_CONNECTION_STRING",
        output="tsv",
    )
    return (
        *fetched(_CONNECTION_STRING, get_settings),
        *protected_file_lines(site, planned.params, "%s", _CONNECTION_STRING),
    )


def _extension_line(site: Site, operation: Operation, planned: PlannedStep) -> str:
    params = planned.params
    settings = dict(params["settings"]) if isinstance(params["settings"], dict) else {}
    holds = (str(step.params["address"]) for step in operation.planned if step.kind in {HOLD, RESERVE})
    if address := address_of(operation) or next(holds, ""):
        settings[SERVICE_ADDRESS] = address
    version: dict[str, object] = {"version": params["version"], "auto_upgrade_minor_version": "false"}
    return command_line(
        "az k8s-extension create",
        name=params["name"],
        cluster_name=site.cluster_ref.name,
        cluster_type="connectedClusters",
        resource_group=site.cluster_ref.resource_group,
        subscription=site.cluster_ref.subscription,
        extension_type="Microsoft.ContainerRegistry.ConnectedRegistry",
        release_train=params["release_train"],
        **(version if params["version"] else {}),
        config=tuple(f"{key}={value}" for key, value in settings.items()),
        config_protected_file=PROTECTED,
    )


INSTALL = Step(
    "extension.install",
    _install,
    _install_line,
    wait=_installed,
    writes=lambda site, planned: f"{site.cluster_ref.id}{EXTENSIONS}/{planned.params['name']}",
    exists=lambda scene: is_there(scene.azure.extensions.get(scene.site.cluster_ref, scene.params["name"])),
    leaves=password_left(planned_slot),
    interval=5,
    first=0.15,  # Helm has never been done at once
    within=timedelta(minutes=30),
    # A run may have filled the password slot that was idle; a retry fills the approved one again.
    shifting=frozenset({"slot"}),
)
