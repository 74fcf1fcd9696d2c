"""Steps on the connected registry."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.model.azure import ConnectedRegistry, Pending
from services.operations.deploy.steps.verdict import judge
from services.operations.step import Done, Going, Progress, Scene, Step
from services.policy.sites import Site


async def _create(scene: Scene) -> Progress:
    params = scene.params
    pending = await scene.azure.connected.create(
        scene.site.acr_ref,
        scene.name,
        token_id=f"{scene.site.acr_ref.id}/tokens/{params['token']}",
        mode=params["mode"],
        schedule=params["schedule"],
        window=params["window"],
        message_ttl=params["message_ttl"],
        log_level=params["log_level"],
    )
    return _created_so_far(pending)


async def _created(scene: Scene, token: Pending) -> Progress:
    return _created_so_far(await scene.azure.operations.poll(token))


def _created_so_far(pending: Pending) -> Progress:
    if pending.kind != "done":
        return Going(pending, pending.correlation_id)
    return Done(dict(pending.facts), pending.correlation_id)


async def _online(scene: Scene) -> Progress:
    return await _is_online(scene, None)


async def _is_online(scene: Scene, _token: object) -> Progress:
    """Connected at least once since its activation; a registry that syncs at this very moment is connected too."""
    seen = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    if seen.activation == "Active" and seen.connection_state in {"Online", "Syncing"}:
        return Done({"connection_state": "Online", **_sync(seen)})
    await judge(scene, connected=seen)
    return Going()


async def _synced(scene: Scene) -> Progress:
    return Done() if scene.results.get("last_sync") else await _is_synced(scene, None)


async def _is_synced(scene: Scene, _token: object) -> Progress:
    seen = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    return Done(_sync(seen)) if seen.last_sync else Going()


def _sync(seen: ConnectedRegistry) -> dict[str, object]:
    return {"last_sync": seen.last_sync} if seen.last_sync else {}


def _create_line(site: Site, name: str, params: Mapping[str, Any]) -> str:
    return (
        f"az acr connected-registry create --registry {site.acr_ref.name} --name {name} --resource-group"
        f" {site.acr_ref.resource_group} --sync-token {params['token']} --mode {params['mode']}"
        f" --sync-schedule '{params['schedule']}'"
    )


def _show_line(site: Site, name: str, _params: Mapping[str, Any]) -> str:
    return f"az acr connected-registry show --registry {site.acr_ref.name} --name {name} --output table"


CREATE = Step("connected.create", "Connected registry {name}", _create, _create_line, wait=_created)
ONLINE = Step(
    "connected.online",
    "{name} comes online",
    _online,
    _show_line,
    wait=_is_online,
    interval=5,
    within=timedelta(minutes=20),
)
SYNCED = Step(
    "connected.synced",
    "First sync of {name}",
    _synced,
    _show_line,
    wait=_is_synced,
    interval=10,
    within=timedelta(minutes=30),
    # A large registry on a slow line syncs for hours; it is online and at work, so nothing has failed.
    patient=True,
)
