"""The one step that carries a secret: it mints the sync token's password and hands it to the extension.

The password lives between two awaits of `_install` and nowhere else; no answer, error or checkpoint holds it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.model.azure import Extension
from services.model.errors import Absent, Failure
from services.operations.deploy.connection_string import connection_string
from services.operations.deploy.diagnosis import Cause
from services.operations.deploy.steps.verdict import judge
from services.operations.step import Done, Going, Progress, Scene, Step
from services.policy.sites import Site

UNDER_WAY = {"creating", "updating", "pending"}


async def _install(scene: Scene) -> Progress:
    """Look first: an extension that is being installed has got its password, and a new one would break it.

    Unless that is what has failed: a string that does not let the registry in leaves the extension under way for hours.
    """
    params = scene.params
    there = await _there(scene)
    under_way = there is not None and there.provisioning_state.lower() in UNDER_WAY
    if there and ((under_way and not scene.failed) or _fits(there, scene)):
        return Going()
    endpoint = scene.results.get("gateway_endpoint") or await _gateway_endpoint(scene)
    # Now, and not earlier: until the extension's own Service takes the address, the placeholder keeps others off it.
    await (await scene.cluster()).release_addresses(scene.site.cluster.kubernetes.hold_namespace, scene.operation.id)
    token = f"{scene.site.acr_ref.id}/tokens/{params['token']}"
    password = await scene.azure.tokens.generate_password(scene.site.acr_ref, token, params["slot"])
    pending = await scene.azure.extensions.create(
        scene.site.cluster_ref,
        params["name"],
        settings={**params["settings"], "service.clusterIP": str(scene.results["service_ip"])},
        protected={
            "connectionString": connection_string(
                name=scene.name, token=params["token"], password=password, gateway_endpoint=str(endpoint)
            )
        },
        release_train=params["release_train"],
        version=params["version"],
    )
    return Going(correlation_id=pending.correlation_id)


async def _there(scene: Scene) -> Extension | None:
    """The extension, where there may be one. The first creation was preceded by a look at the whole cluster."""
    if not scene.second and scene.planned.effect == "create":
        return None
    try:
        return await scene.azure.extensions.get(scene.site.cluster_ref, scene.params["name"])
    except Absent:
        return None


def _fits(there: Extension, scene: Scene) -> bool:
    wanted = {**scene.params["settings"], "service.clusterIP": str(scene.results["service_ip"])}
    return there.provisioning_state.lower() == "succeeded" and wanted.items() <= dict(there.settings).items()


async def _gateway_endpoint(scene: Scene) -> str:
    seen = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    if not seen.gateway_endpoint:
        raise Failure(Cause.GATEWAY_UNKNOWN, {"name": scene.name})
    return seen.gateway_endpoint


async def _installed(scene: Scene, _token: object) -> Progress:
    """Asks the extension itself, which says why it failed; the operation's status does not."""
    seen = await scene.azure.extensions.get(scene.site.cluster_ref, scene.params["name"])
    if seen.provisioning_state.lower() == "succeeded":
        return Done({"extension": "Succeeded", "extension_version": seen.version})
    failed = seen.provisioning_state.lower() in {"failed", "canceled"}
    await judge(scene, extension=seen, final=failed)
    return Going()


def _install_line(site: Site, name: str, params: Mapping[str, Any]) -> str:
    given = {"service.clusterIP": params["service_ip"]} if params["service_ip"] else {}
    settings = " ".join(f"{key}={value}" for key, value in (params["settings"] | given).items())
    return (
        f"kubectl delete service registry-placeholder --namespace {site.cluster.kubernetes.hold_namespace}"
        f" --ignore-not-found\n"
        f"az acr connected-registry get-settings --registry {site.acr_ref.name} --name {name} --parent-protocol https"
        f" --generate-password {params['slot'][-1]} --query ACR_REGISTRY_CONNECTION_STRING --output tsv --yes"
        f"   # into protected-settings.json\n"
        f"az k8s-extension create --cluster-name {site.cluster_ref.name} --cluster-type connectedClusters"
        f" --extension-type Microsoft.ContainerRegistry.ConnectedRegistry --name {params['name']}"
        f" --resource-group {site.cluster_ref.resource_group} --config {settings}"
        f" --config-protected-file protected-settings.json"
    )


INSTALL = Step(
    "extension.install",
    "Extension {name}",
    _install,
    _install_line,
    wait=_installed,
    interval=5,
    first=0.3,  # Helm has never been done at once
    within=timedelta(minutes=30),
)
