"""The plan of a removal: from the edge to the cloud, and what others depend on last."""

from collections.abc import Iterator

from services.model.azure import Extension
from services.model.plan import Effect, PlannedStep
from services.operations.answers import NotAsked, known
from services.operations.belongings import Belongings, belongings, own_extension
from services.operations.procedure import Draft
from services.operations.remove.observation import Observation
from services.operations.remove.request import RemoveRequest
from services.operations.workload_removal import DELETE_PULL_SECRETS, DELETE_WORKLOAD
from services.policy.extensions import namespace_of, registry_extensions
from services.policy.sites import Site


def plan(_site: Site, request: RemoveRequest, observation: Observation) -> Draft:
    """The steps in the order in which they run. Azure refuses to delete a token in use, and a scope map in use."""
    own = of_request(request, observation)
    steps = (*_workloads(observation), *at_edge(request, observation), *_cloud(own))
    return Draft(steps, observed(request, observation, own))


def of_request(request: RemoveRequest, observation: Observation) -> Belongings:
    """What belongs to the connected registry; what could not be asked counts as nothing, and blocks the plan."""
    registries, scope_maps = known(observation.connected, ()), known(observation.scope_maps, ())
    keep_client_tokens = request.options.keep_client_tokens
    return belongings(
        request.name, registries, scope_maps, known(observation.tokens, ()), keep_client_tokens=keep_client_tokens
    )


def extension_of(request: RemoveRequest, observation: Observation) -> Extension | None:
    """The extension that goes, likewise."""
    return own_extension(
        request.name, request.options.extension, known(observation.extensions, ()), known(observation.connected, ())
    )


def _workloads(observation: Observation) -> Iterator[PlannedStep]:
    """What pulls goes first, with the secrets that it pulled by."""
    for workload in known(observation.own_workloads, ()):
        place = {"namespace": workload.spec.namespace, "workload": workload.spec.name}
        yield _step(DELETE_WORKLOAD.kind, "delete", **place, image=workload.spec.image)
        yield _step(DELETE_PULL_SECRETS.kind, "delete", **place)


def at_edge(request: RemoveRequest, observation: Observation) -> tuple[PlannedStep, ...]:
    """While the extension runs it would go on asking for a connected registry that is no longer there."""
    extension = extension_of(request, observation)
    namespace = namespace_of(extension)
    # A cluster that nobody asks can't say that something is gone.
    is_asked = not isinstance(observation.namespace_phase, NotAsked)
    verified = (_step("namespace.gone", "verify", namespace=namespace),) if is_asked else ()
    if extension is not None:
        force = request.options.without_cluster
        return (_step("extension.remove", "delete", name=extension.name, force=force), *verified)
    # Azure forgets an extension before the cluster's agents have uninstalled it.
    extensions = known(observation.extensions, ())
    is_leaving = known(observation.namespace_phase, "") and not registry_extensions(extensions)
    return verified if is_leaving else ()


def _cloud(own: Belongings) -> tuple[PlannedStep, ...]:
    registry = (_step("connected.remove", "delete", name=own.registry.name),) if own.registry else ()
    narrowed = (
        _step("scope_map.narrow", "change", name=name, actions=actions) for name, actions in own.narrowed.items()
    )
    tokens = (_step("token.remove", "delete", name=name, purpose=purpose) for name, purpose in own.tokens.items())
    maps = (_step("scope_map.remove", "delete", name=name) for name in own.scope_maps)
    return (*registry, *narrowed, *tokens, *maps)


def _step(kind: str, effect: Effect, **params: object) -> PlannedStep:
    return PlannedStep(kind, params, effect)


def observed(request: RemoveRequest, observation: Observation, own: Belongings) -> dict[str, object]:
    """What the plan rests on."""
    extension = extension_of(request, observation)
    facts: dict[str, object] = {"extension": extension.name if extension else ""}
    if own.registry:
        facts |= {
            "connected_registry.mode": own.registry.mode,
            "connected_registry.activation": own.registry.activation,
        }
    return facts
