"""The plan of a whole deployment: what exists and fits is reused, everything else is said before it is done."""

from dataclasses import asdict, replace

from services.model.azure import Extension, Token
from services.model.plan import Effect, PlannedStep
from services.operations.answers import known
from services.operations.arrival_steps import arrival_step, reader_steps
from services.operations.certificates import Certificate
from services.operations.deploy.observation import Observation
from services.operations.deploy.outputs import EXTENSION_ADDRESS
from services.operations.deploy.request import DeployRequest, image_import
from services.operations.deploy.scope_map import scope_map_actions
from services.operations.deploy.settings import SETTINGS
from services.operations.procedure import Draft
from services.operations.registry_steps import unusual_settings
from services.operations.tls import installation_settings
from services.operations.token_steps import idle_slot
from services.policy.extensions import (
    SERVICE_ADDRESS,
    STORAGE_CLASS,
    STORAGE_REQUEST,
    TRUST_DISTRIBUTION,
    brings_cert_manager,
)
from services.policy.sites import PROVIDERS, Site


def plan(site: Site, request: DeployRequest, observation: Observation) -> Draft:
    """The steps in the order in which they run. A plan with blockers may lack steps that could not be thought out."""
    own = observation.own_extension(request.name)
    keeps = own is not None and _keeps(request, own)
    # What a pattern such as `team/*` stands for nobody can list.
    repositories = tuple(name for name in request.repositories if "*" not in name) if request.wait_for_images else ()
    steps = (
        *(() if keeps else _address(site, request, observation)),
        *_providers(observation),
        *_registry(site, observation),
        *_images(site, request),
        *_sync_access(request, observation),
        *_connected(request, observation),
        # In front of the installation: the first sync brings the images, and what the edge has to know of the reader.
        *(reader_steps(site, request.name, repositories) if repositories else ()),
        _extension(request, observation, own),
        *_proof(request, observation),
        *((arrival_step(site, request.name, repositories, ()),) if repositories else ()),
    )
    facts = _observed(request, observation)
    if own is not None and keeps:
        facts[EXTENSION_ADDRESS] = own.settings.get(SERVICE_ADDRESS, "")
    return Draft(steps, facts)


def _keeps(request: DeployRequest, own: Extension) -> bool:
    """Whether the installed extension is as asked for."""
    if own.provisioning_state.lower() != "succeeded":
        return False
    return request.service_ip in (None, own.settings.get(SERVICE_ADDRESS))


def _address(site: Site, request: DeployRequest, observation: Observation) -> tuple[PlannedStep, ...]:
    address, requested = observation.address(request), observation.requested_address(request)
    if not address:
        return ()
    params: dict[str, object] = {"address": address, "picked": requested is None}
    if requested != request.service_ip:
        params["certified"] = True
    if not observation.sees_cluster:
        return (_step("service_ip.reserve", "reserve", **params),)
    return (_step("service_ip.hold", "hold", **params, namespace=site.cluster.kubernetes.hold_namespace),)


def _providers(observation: Observation) -> tuple[PlannedStep, ...]:
    states = known(observation.providers, {})
    missing = tuple(name for name in PROVIDERS if states.get(name, "Registered") != "Registered")
    return (_step("provider.register", "change", namespaces=missing),) if missing else ()


def _registry(site: Site, observation: Observation) -> tuple[PlannedStep, ...]:
    name = site.acr_ref.name
    registry = known(observation.registry, None)
    if registry is None:
        return (_step("acr.create", "create", name=name, location=site.acr.create_in),) if site.acr.create_in else ()
    if not registry.data_endpoint:
        return (_step("acr.data_endpoint", "change", name=name),)
    return ()


def _images(site: Site, request: DeployRequest) -> tuple[PlannedStep, ...]:
    """Planned for tags that exist too: one may be deleted while the plan waits, and the step keeps what is there."""
    steps = []
    for repository in request.repositories:
        if (imported := image_import(site, repository)) is None:
            continue
        params = {"source": imported.source, "image": f"{repository}:{imported.tag}"}
        if imported.digest:
            params["digest"] = imported.digest
        steps.append(_step("acr.import", "create", **params))
    return tuple(steps)


def _sync_access(request: DeployRequest, observation: Observation) -> tuple[PlannedStep, ...]:
    actions = scope_map_actions(request, observation)
    scope_map, token = known(observation.scope_map, None), known(observation.token, None)
    map_fits = scope_map is not None and set(scope_map.actions) == set(actions)
    token_fits = token is not None and _points(token, request.scope_map_name)
    put_scope_map = _step(
        "scope_map.put", _effect(scope_map, fits=map_fits), name=request.scope_map_name, actions=actions
    )
    return (
        replace(put_scope_map, details={"before": scope_map.actions}) if scope_map else put_scope_map,
        _step(
            "sync_token.put",
            _effect(token, fits=token_fits),
            name=request.token_name,
            scope_map=request.scope_map_name,
        ),
    )


def _effect(existing: object, *, fits: bool) -> Effect:
    if existing is None:
        return "create"
    return "reuse" if fits else "change"


def _points(token: Token, scope_map: str) -> bool:
    return token.enabled and token.scope_map_id.lower().endswith(f"/scopemaps/{scope_map.lower()}")


def _connected(request: DeployRequest, observation: Observation) -> tuple[PlannedStep, ...]:
    return (
        _step(
            "connected.create",
            "reuse" if observation.registry_named(request.name) else "create",
            name=request.name,
            token=request.token_name,
            mode=request.mode,
            schedule=request.schedule,
            window=request.window,
            message_ttl=request.message_ttl,
            log_level=request.log_level,
            **unusual_settings(request.gc_enabled, request.gc_schedule, request.audit_logs),
        ),
    )


def _extension(request: DeployRequest, observation: Observation, own: Extension | None) -> PlannedStep:
    return _step(
        "extension.install",
        _effect(own, fits=own is not None and _keeps(request, own)),
        name=own.name if own is not None else request.extension_name,
        token=request.token_name,
        slot=idle_slot(known(observation.token, None)),
        settings=_settings(request, observation, own),
        release_train=request.release_train,
        version=request.version,
        **({} if own is not None and _keeps(request, own) else _certificate(request, observation)),
    )


def _certificate(request: DeployRequest, observation: Observation) -> dict[str, object]:
    """What goes to the extension beside its connection string."""
    tls = observation.tls(request)
    if tls == "secret":
        return {"tls_secret": request.tls_secret}
    is_own = tls == "certificate" and isinstance(observation.certificate, Certificate)
    return {"certificate": asdict(observation.certificate)} if is_own else {}


def _settings(request: DeployRequest, observation: Observation, own: Extension | None) -> dict[str, str]:
    """What is set at an installation. Of an extension that stays: what it has, which may be other than asked for."""
    if own is not None and _keeps(request, own):
        return {key: value for key, value in own.settings.items() if key in SETTINGS}
    storage = {STORAGE_REQUEST: request.storage_request, STORAGE_CLASS: request.storage_class or ""}
    if own is not None and observation.may_have_claim:
        # A claim can't be changed, so what an extension left to its defaults stays left to them.
        storage = {key: own.settings.get(key, "") for key in storage}
    settings = {key: value for key, value in storage.items() if value}
    # What an earlier install of this same extension brought along is its own and stays so.
    brought = own is not None and brings_cert_manager(own)
    has_cert_manager = known(observation.cert_manager, False) and not brought
    settings |= installation_settings(observation.tls(request), has_cert_manager=has_cert_manager)
    if not request.trust_distribution:
        settings[TRUST_DISTRIBUTION] = "false"
    return settings


def _proof(request: DeployRequest, observation: Observation) -> tuple[PlannedStep, ...]:
    return (
        *((_step("cluster.verify", "verify", name=request.name),) if observation.sees_cluster else ()),
        _step("connected.online", "verify", name=request.name),
        _step("connected.synced", "verify", name=request.name),
    )


def _step(kind: str, effect: Effect, **params: object) -> PlannedStep:
    return PlannedStep(kind, params, effect)


def _observed(request: DeployRequest, observation: Observation) -> dict[str, object]:
    """What the plan rests on. Times, counters and picked addresses are not in it: they change by themselves."""
    facts: dict[str, object] = {}
    if registry := known(observation.registry, None):
        facts |= {"registry.sku": registry.sku, "registry.data_endpoint": registry.data_endpoint}
    if scope_map := known(observation.scope_map, None):
        facts["scope_map.actions"] = " ".join(sorted(scope_map.actions))
    if token := known(observation.token, None):
        facts |= {"sync_token.scope_map": token.scope_map_id.lower(), "sync_token.enabled": token.enabled}
    if connected := observation.registry_named(request.name):
        facts |= {"connected_registry.mode": connected.mode, "connected_registry.schedule": connected.schedule}
        facts |= {"connected_registry.activation": connected.activation}
    if cluster := known(observation.cluster, None):
        facts["cluster.connectivity"] = cluster.connectivity
    for extension in known(observation.extensions, ()):
        facts[f"extension.{extension.name}"] = extension.provisioning_state
    if observation.sees_cluster:
        facts["namespace"] = known(observation.namespace_phase, "")
    facts["cert_manager"] = known(observation.cert_manager, False)
    return facts
