"""The plan of a whole deployment: what exists and fits is reused, everything else is said before it is done."""

from services.model.azure import Extension, Token
from services.model.plan import Effect, PlannedStep
from services.operations.answers import Known, known
from services.operations.deploy import addresses
from services.operations.deploy.observation import Observation
from services.operations.deploy.outputs import EXTENSION_ADDRESS
from services.operations.deploy.request import DeployRequest
from services.operations.procedure import Draft
from services.policy.sites import PROVIDERS, Site, sync_actions


def plan(site: Site, request: DeployRequest, seen: Observation) -> Draft:
    """The steps in the order in which they run. A plan with blockers may lack steps that could not be thought out."""
    steps = (
        *_address(site, request, seen),
        *_providers(seen),
        *_registry(site, seen),
        *_images(site, request),
        *_sync_access(request, seen),
        *_connected(request, seen),
        *_extension(request, seen),
        *_proof(request),
    )
    return Draft(steps, _observed(request, seen))


def _installed(request: DeployRequest, seen: Observation) -> Extension | None:
    """The extension of this connected registry, if there is one."""
    return next((one for one in known(seen.extensions, ()) if one.name.lower() == request.extension_name.lower()), None)


def _keeps(request: DeployRequest, there: Extension | None) -> bool:
    """Whether the installed extension is as wanted."""
    if there is None or there.provisioning_state.lower() != "succeeded":
        return False
    return request.service_ip in (None, there.settings.get("service.clusterIP"))


def _address(site: Site, request: DeployRequest, seen: Observation) -> tuple[PlannedStep, ...]:
    there = _installed(request, seen)
    if _keeps(request, there):
        return ()
    namespace = site.cluster.kubernetes.hold_namespace
    if request.service_ip:
        return (_step("service_ip.hold", "hold", address=request.service_ip, picked=False, namespace=namespace),)
    had = there.settings.get("service.clusterIP") if there else None
    if had:
        return (_step("service_ip.hold", "hold", address=had, picked=True, namespace=namespace),)
    if not isinstance(seen.ranges, Known):
        return ()
    choice = addresses.choose(seen.ranges.value, seen.leased)
    if isinstance(choice, addresses.Full):
        return ()
    return (_step("service_ip.hold", "hold", address=choice.address, picked=True, namespace=namespace),)


def _providers(seen: Observation) -> tuple[PlannedStep, ...]:
    states = known(seen.providers, {})
    missing = tuple(name for name in PROVIDERS if states.get(name, "Registered") != "Registered")
    return (_step("provider.register", "change", namespaces=missing),) if missing else ()


def _registry(site: Site, seen: Observation) -> tuple[PlannedStep, ...]:
    name = site.acr_ref.name
    registry = known(seen.registry, None)
    if registry is None:
        return (_step("acr.create", "create", name=name, location=site.acr.create_in),) if site.acr.create_in else ()
    if not registry.data_endpoint:
        return (_step("acr.data_endpoint", "change", name=name),)
    return ()


def _images(site: Site, request: DeployRequest) -> tuple[PlannedStep, ...]:
    """Imports never overwrite: a tag that is there already is kept, which only the service can tell."""
    return tuple(
        _step("acr.import", "create", source=source, image=f"{repository}:{source.rpartition(':')[2]}")
        for repository in request.repositories
        if (source := site.images.get(repository))
    )


def _sync_access(request: DeployRequest, seen: Observation) -> tuple[PlannedStep, ...]:
    actions = sync_actions(request.name, request.mode, request.repositories)
    scope_map, token = known(seen.scope_map, None), known(seen.token, None)
    reused: Effect = "reuse" if scope_map and set(scope_map.actions) == set(actions) else "change"
    held: Effect = "reuse" if token and _points(token, request.scope_map_name) else "change"
    return (
        _step("scope_map.put", reused if scope_map else "create", name=request.scope_map_name, actions=actions),
        _step("sync_token.put", held if token else "create", name=request.token_name, scope_map=request.scope_map_name),
    )


def _points(token: Token, scope_map: str) -> bool:
    return token.enabled and token.scope_map_id.lower().endswith(f"/scopemaps/{scope_map.lower()}")


def _connected(request: DeployRequest, seen: Observation) -> tuple[PlannedStep, ...]:
    there = any(one.name.lower() == request.name.lower() for one in known(seen.connected, ()))
    return (
        _step(
            "connected.create",
            "reuse" if there else "create",
            name=request.name,
            token=request.token_name,
            mode=request.mode,
            schedule=request.schedule,
            window=request.window,
            message_ttl=request.message_ttl,
            log_level=request.log_level,
        ),
    )


def _extension(request: DeployRequest, seen: Observation) -> tuple[PlannedStep, ...]:
    there = _installed(request, seen)
    effect: Effect = "reuse" if _keeps(request, there) else "change" if there else "create"
    return (
        _step(
            "extension.install",
            effect,
            name=request.extension_name,
            token=request.token_name,
            slot=_idle_slot(known(seen.token, None)),
            settings=_settings(request, seen, there),
            release_train=request.release_train,
            version=request.version,
        ),
    )


def _idle_slot(token: Token | None) -> str:
    """The password slot that nobody uses, else the older one: a running registry keeps the one that it works with."""
    ages = {slot.name: slot.created.timestamp() if slot.created else 0 for slot in (token.passwords if token else ())}
    return min(("password1", "password2"), key=lambda name: ages.get(name, -1))


def _settings(request: DeployRequest, seen: Observation, there: Extension | None) -> dict[str, str]:
    settings = {"pvc.storageRequest": request.storage_request}
    if request.storage_class:
        settings["pvc.storageClassName"] = request.storage_class
    # What an earlier install of this same extension brought along is its own and stays so.
    own = there.settings.get("cert-manager.install") != "false" if there else False
    if known(seen.cert_manager, False) and not own:
        settings["cert-manager.install"] = "false"
    if not request.trust_distribution:
        settings["trustDistribution.enabled"] = "false"
    return settings


def _proof(request: DeployRequest) -> tuple[PlannedStep, ...]:
    return (
        _step("cluster.verify", "verify", name=request.name),
        _step("connected.online", "verify", name=request.name),
        _step("connected.synced", "verify", name=request.name),
    )


def _step(kind: str, effect: Effect, **params: object) -> PlannedStep:
    return PlannedStep(kind, params, effect)


def _observed(request: DeployRequest, seen: Observation) -> dict[str, object]:
    """What the plan rests on. Times, counters and picked addresses are not in it: they change by themselves."""
    facts: dict[str, object] = {}
    if registry := known(seen.registry, None):
        facts |= {"registry.sku": registry.sku, "registry.data_endpoint": registry.data_endpoint}
    if scope_map := known(seen.scope_map, None):
        facts["scope_map.actions"] = " ".join(sorted(scope_map.actions))
    if token := known(seen.token, None):
        facts |= {"sync_token.scope_map": token.scope_map_id.lower(), "sync_token.enabled": token.enabled}
    for one in known(seen.connected, ()):
        if one.name.lower() == request.name.lower():
            facts |= {"connected_registry.mode": one.mode, "connected_registry.schedule": one.schedule}
            facts |= {"connected_registry.activation": one.activation}
    if cluster := known(seen.cluster, None):
        facts["cluster.connectivity"] = cluster.connectivity
    for extension in known(seen.extensions, ()):
        facts[f"extension.{extension.name}"] = extension.provisioning_state
    if (there := _installed(request, seen)) and _keeps(request, there):
        facts[EXTENSION_ADDRESS] = there.settings.get("service.clusterIP", "")
    facts["namespace"] = known(seen.namespace_phase, "")
    facts["cert_manager"] = known(seen.cert_manager, False)
    return facts
