"""How each kind of step is taken back, in one table. Pure.

A step that creates is taken back by a deletion, one that changes by another change, as far as the world is still as
the operation left it: what somebody has changed since, and what others use by now, stays, and so does what has no way
back. Every such case has a `Reason`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.model.azure import Extension, resource_name
from services.model.plan import Effect, PlannedStep
from services.operations import client_tokens
from services.operations.answers import known
from services.operations.belongings import Belongings
from services.operations.extension_steps import availability_of
from services.operations.extension_update import procedure as extension_update
from services.operations.passwords import ending_line
from services.operations.remove.plan import at_edge, extension_of, of_request
from services.operations.rollback.observation import Observation
from services.operations.rollback.request import Reason, RollbackRequest
from services.operations.token_steps import idle_slot
from services.operations.update import steps as update
from services.operations.workload.checks import lists, other_users
from services.operations.workload.plan import former_values
from services.operations.workload.rotation_steps import END_PASSWORD, ROLLED_OUT
from services.operations.workload.steps import DELETE_SCOPE_MAP, DELETE_TOKEN, PUT_WORKLOAD, UNLINK
from services.operations.workload_removal import DELETE_PULL_SECRETS, DELETE_WORKLOAD, place_of
from services.policy.extensions import CERT_MANAGER, DEFAULTS
from services.policy.sites import Site, synced_repositories


@dataclass(frozen=True)
class Staying:
    """Something that stays as the operation left it; `parts` name it for people."""

    reason: Reason
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class World:
    """What is there when a rollback is planned."""

    site: Site
    request: RollbackRequest
    observation: Observation

    @property
    def own(self) -> Belongings:
        """What belongs to the connected registry alone."""
        return of_request(self.request.removal, self.observation.removal)


Part = PlannedStep | Staying


@dataclass(frozen=True)
class Inverse:
    """How what a step of one kind has done is taken back.

    `label` is what people call it. A change is compared with what is there, so it can be taken back also where nobody
    knows whether its step came to its end; so can a creation whose inverse `compares`. An inverse is void once a step
    of the kinds `void_after` has begun.
    """

    label: str
    parts: Callable[[World, PlannedStep], Iterable[Part]]
    compares: bool = False
    void_after: frozenset[str] = field(default_factory=frozenset)


def _step(kind: str, effect: Effect, **params: object) -> PlannedStep:
    return PlannedStep(kind, params, effect)


def _former(planned: PlannedStep) -> Any:
    """What was there before a change; None where an older version of the bot has planned it and did not record it."""
    return planned.details.get("before")


def _same(one: object, other: object) -> bool:
    return str(one).casefold() == str(other).casefold()


# --- a connected registry -------------------------------------------------------------------------------------------


def _uninstalled(world: World, planned: PlannedStep) -> Iterator[Part]:
    name = str(planned.params["name"])
    removal, observation = world.request.removal, world.observation.removal
    if planned.effect == "change":
        # It replaced settings and a connection string, which nobody can read.
        yield Staying(Reason.FORMER_UNKNOWN, (f"extension {name}",))
        return
    if (extension := extension_of(removal, observation)) is not None and _same(extension.name, name):
        yield from at_edge(removal, observation)
    slot, token = planned.params.get("slot"), world.observation.token(planned.params.get("token"))
    passwords = {password.name for password in token.passwords} if token else set()
    if token and slot in passwords and world.request.step("sync_token.put") is None:
        yield Staying(Reason.SYNC_PASSWORD_LEFT, (ending_line(world.site, token.name, str(slot)),))


def _deleted_registry(world: World, planned: PlannedStep) -> Iterator[Part]:
    registry = world.own.registry
    if registry is not None and _same(registry.name, planned.params["name"]):
        yield _step("connected.remove", "delete", name=registry.name)


def _deleted_sync_token(world: World, planned: PlannedStep) -> Iterator[Part]:
    for name, purpose in world.own.tokens.items():
        if purpose == "Sync" and _same(name, planned.params["name"]):
            yield _step("token.remove", "delete", name=name, purpose=purpose)


def _sync_scope_map(world: World, planned: PlannedStep) -> Iterator[Part]:
    if planned.effect == "change":
        yield from _former_rights(world, planned)
        return
    for name in world.own.scope_maps:
        if _same(name, planned.params["name"]):
            yield _step("scope_map.remove", "delete", name=name)


def _former_rights(world: World, planned: PlannedStep) -> Iterator[Part]:
    """Of a scope map that was there before and got other actions."""
    name, before, after = str(planned.params["name"]), _former(planned), _actions(planned)
    if before is None:
        yield Staying(Reason.FORMER_UNKNOWN, (f"scope map {name}",))
        return
    yield from _narrowed(world, name, [action for action in after if action not in before])
    yield from _widened(world, name, [action for action in before if action not in after])


def _granted(world: World, planned: PlannedStep) -> Iterator[Part]:
    """Another one that is nested may sync by rights to repositories by now: they stay."""
    name, actions = str(planned.params["name"]), _actions(planned)
    others = [one for one in world.observation.registries if not _same(one.name, world.request.name)]
    shared = [action for action in actions if action.startswith("repositories/")] if _any_nested(others) else []
    if shared:
        yield Staying(Reason.RIGHTS_KEPT, tuple(synced_repositories(shared)))
    yield from _narrowed(world, name, [action for action in actions if action not in shared])


def _any_nested(registries: Iterable[Any]) -> bool:
    return any(registry.parent for registry in registries)


def _revoked(world: World, planned: PlannedStep) -> Iterator[Part]:
    yield from _widened(world, str(planned.params["name"]), _actions(planned))


def _actions(planned: PlannedStep) -> list[str]:
    actions = planned.params["actions"]
    return [str(action) for action in actions] if isinstance(actions, tuple | list) else []


def _narrowed(world: World, name: str, actions: list[str]) -> Iterator[PlannedStep]:
    scope_map = world.observation.scope_map(name)
    surplus = tuple(action for action in actions if scope_map and action in scope_map.actions)
    if surplus:
        yield _step("scope_map.narrow", "change", name=name, actions=surplus)


def _widened(world: World, name: str, actions: list[str]) -> Iterator[PlannedStep]:
    scope_map = world.observation.scope_map(name)
    missing = tuple(action for action in actions if scope_map and action not in scope_map.actions)
    if missing:
        yield _step("scope_map.widen", "change", name=name, actions=missing)


def _former_settings(world: World, planned: PlannedStep) -> Iterator[Part]:
    registry = world.observation.registry(planned.params["name"])
    changes: Any = planned.params["changes"]
    if registry is None:
        return
    present, back = update.settings(registry), dict[str, tuple[object, object]]()
    for setting, (before, after) in changes.items():
        label = setting.replace("_", " ")
        if present[setting] == before:
            continue
        if present[setting] != after:
            yield Staying(Reason.CHANGED_SINCE, (label,))
        elif before in (None, ""):
            yield Staying(Reason.NO_FORMER_VALUE, (label,))
        else:
            back[setting] = (after, before)
    if back:
        yield _step(update.UPDATE.kind, "change", name=registry.name, changes=back)
        former = {setting: before for setting, (_, before) in back.items()}
        yield _step(update.TAKEN.kind, "verify", name=registry.name, settings=former)


def _former_client_tokens(world: World, planned: PlannedStep) -> Iterator[Part]:
    """Tokens that were listed already, or had gone already, are not the operation's."""
    registry, params = world.observation.registry(planned.params["name"]), planned.params
    if registry is None:
        return
    before, present = _names(params["before"]), _names(client_tokens.names(registry.client_token_ids))
    remove = tuple(name for name in _texts(params["add"]) if name.casefold() in present - before)
    lost = tuple(name for name in _texts(params["remove"]) if name.casefold() in before - present)
    add = tuple(name for name in lost if world.observation.token(name))
    if not add and not remove:
        return
    after = client_tokens.changed(world.site, registry, add=add, remove=remove)
    yield _step(
        update.CLIENT_TOKENS.kind,
        "change",
        name=registry.name,
        add=add,
        remove=remove,
        before=client_tokens.names(registry.client_token_ids),
        after=client_tokens.names(after),
    )
    yield _step(update.TAKEN.kind, "verify", name=registry.name, settings={}, add=add, remove=remove)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else ()


def _names(value: object) -> set[str]:
    return {name.casefold() for name in _texts(value)}


# --- an extension ---------------------------------------------------------------------------------------------------


def _former_extension(world: World, planned: PlannedStep) -> Iterator[Part]:
    """Azure takes the change of a failed extension as that of another one: then every former value is sent again."""
    extension = world.observation.extension(planned.params["name"])
    if extension is None:
        return
    params: Mapping[str, Any] = planned.params
    if params["token"] and params["settings"].get(CERT_MANAGER) != ("true", "false"):
        # Which certificate it had, or by which Secret, is a protected setting, which Azure never shows.
        yield Staying(Reason.CERTIFICATE, (f"extension {extension.name}",))
        return
    has_failed = extension.provisioning_state != "Succeeded"
    present = {**DEFAULTS, **extension.settings}
    settings = {
        key: (after, before)
        for key, (before, after) in params["settings"].items()
        if has_failed or present[key].casefold() == after.casefold()
    }
    release = dict(_former_release(extension, params["release"], has_failed=has_failed))
    if "version" in params["release"] and "version" not in release:
        yield Staying(Reason.VERSION, (f"extension {extension.name}",))
    if not settings and not release:
        return
    # Without the former certificate's Secret: protected settings go as a whole, with a new connection string.
    token = world.observation.token(params["token"]) if params["token"] else None
    yield _step(
        extension_update.UPDATE.kind,
        "change",
        name=extension.name,
        settings=settings,
        release=release,
        tls_secret="",
        token=token.name if token else "",
        slot=idle_slot(token) if token else "",
        **({"parent_protocol": params["parent_protocol"]} if params.get("parent_protocol") else {}),
    )
    if world.observation.sees_cluster:
        yield _step(extension_update.AVAILABLE.kind, "verify", **availability_of(extension))


def _former_release(
    extension: Extension, changes: Mapping[str, tuple[object, object]], *, has_failed: bool
) -> Iterator[tuple[str, tuple[object, object]]]:
    """An extension that upgrades by itself takes its version from the release train, and no other one."""
    upgrades = changes.get("auto_upgrade", (extension.auto_upgrade, None))[0]
    for key, (before, after) in changes.items():
        is_own = has_failed or getattr(extension, key) == after
        if is_own and before not in (None, "") and not (key == "version" and upgrades):
            yield key, (after, before)


# --- a workload -----------------------------------------------------------------------------------------------------


def _client_scope_map(world: World, planned: PlannedStep) -> Iterator[Part]:
    if planned.effect == "change":
        yield from _former_rights(world, planned)
        return
    scope_map = world.observation.scope_map(planned.params["name"])
    if scope_map is None:
        return
    tokens = known(world.observation.removal.tokens, ())
    users = [token.name for token in tokens if resource_name(token.scope_map_id) == scope_map.name.casefold()]
    if others := tuple(name for name in users if not _same(name, planned.params["name"])):
        yield Staying(Reason.SCOPE_MAP_IN_USE, others)
    elif users and any(isinstance(part, Staying) for part in _client_token(world, planned)):
        return  # its token stays, and says why
    else:
        yield _step(DELETE_SCOPE_MAP.kind, "delete", name=scope_map.name)


def _client_token(world: World, planned: PlannedStep) -> Iterator[Part]:
    token = world.observation.token(planned.params["name"])
    if token is None:
        return
    if users := other_users(token.id, world.request.name, world.observation.registries):
        yield Staying(Reason.TOKEN_IN_USE, users)
    else:
        yield _step(DELETE_TOKEN.kind, "delete", name=token.name)


def _unlinked(world: World, planned: PlannedStep) -> Iterator[Part]:
    registry = world.observation.registry(world.request.name)
    token = world.observation.token(planned.params["token"])
    if registry is not None and token is not None and lists(registry, token.id):
        yield _step(UNLINK.kind, "change", registry=registry.name, token=token.name)


def _pull_secret(world: World, planned: PlannedStep) -> Iterator[Part]:
    """A workload that was there before goes on with its other pull secret."""
    place, workload = place_of(planned), known(world.observation.workload, None)
    params = {"namespace": place.namespace, "workload": place.name}
    put = world.request.step(PUT_WORKLOAD.kind)
    if workload is None or (put is not None and put.effect == "create"):
        yield _step(DELETE_PULL_SECRETS.kind, "delete", **params)
        if world.request.step("client_token.put") is None and world.observation.token(planned.params["token"]):
            yield Staying(Reason.PASSWORD_LEFT, (str(planned.params["token"]),))
        return
    parts = list(_former_workload(world, put)) if put is not None else []
    used = next((str(part.params["pull_secret"]) for part in parts if isinstance(part, PlannedStep)), "")
    used = used or workload.spec.pull_secret
    if used not in place.pull_secrets or any(isinstance(part, Staying) for part in parts):
        return
    unused = place.pull_secrets[1 - place.pull_secrets.index(used)]
    yield _step(END_PASSWORD.kind, "delete", **params, token=planned.params["token"], secret=unused)


def _former_workload(world: World, planned: PlannedStep) -> Iterator[Part]:
    place, workload = place_of(planned), known(world.observation.workload, None)
    if workload is None or not workload.managed:
        return
    spec, params = workload.spec, planned.params
    present = (spec.image, spec.replicas, spec.port, spec.manifest)
    is_as_left = present == (params["image"], params["replicas"], params["port"], params.get("manifest", ""))
    former = _former(planned)
    if planned.effect == "create":
        if is_as_left:
            where = {"namespace": place.namespace, "workload": place.name}
            yield _step(DELETE_WORKLOAD.kind, "delete", **where, image=spec.image)
        else:
            yield Staying(Reason.CHANGED_SINCE, (f"workload {place.name}",))
    elif not isinstance(former, Mapping):
        yield Staying(Reason.FORMER_UNKNOWN, (f"workload {place.name}",))
    elif former_values(spec) != former:
        if is_as_left:
            yield _put(planned, **former)
        else:
            yield Staying(Reason.CHANGED_SINCE, (f"workload {place.name}",))


def _put(planned: PlannedStep, **values: object) -> PlannedStep:
    place = place_of(planned)
    return _step(PUT_WORKLOAD.kind, "change", namespace=place.namespace, workload=place.name, **values)


def _switched_back(world: World, planned: PlannedStep) -> Iterator[Part]:
    """Pods pull by the earlier Secret again, whose password is still valid: no other step has ended it."""
    place, workload = place_of(planned), known(world.observation.workload, None)
    if workload is None or workload.spec.pull_secret != planned.params["secret"]:
        return
    former = place.pull_secrets[1 - place.pull_secrets.index(workload.spec.pull_secret)]
    spec, replicas = workload.spec, workload.spec.replicas
    yield _put(planned, image=spec.image, replicas=replicas, port=spec.port, pull_secret=former)
    yield _step(ROLLED_OUT.kind, "verify", namespace=place.namespace, workload=place.name, replicas=replicas)


def _renewed(world: World, planned: PlannedStep) -> Iterator[Part]:
    """The new password, which nothing uses any more."""
    place, workload, params = place_of(planned), known(world.observation.workload, None), planned.params
    switch = world.request.step("workload.switch")
    goes_back = switch is not None and any(True for _ in _switched_back(world, switch))
    if workload is not None and (goes_back or workload.spec.pull_secret != params["secret"]):
        where = {"namespace": place.namespace, "workload": place.name}
        yield _step(END_PASSWORD.kind, "delete", **where, token=params["token"], secret=params["secret"])


_OLD_PASSWORD = frozenset({END_PASSWORD.kind})
INVERSES: Mapping[str, Inverse | Reason] = {
    "provider.register": Reason.SHARED,
    "acr.create": Reason.SHARED,
    "acr.upgrade": Reason.SHARED,
    "acr.data_endpoint": Reason.SHARED,
    "acr.import": Reason.SHARED,
    "scope_map.grant": Inverse("rights in the scope map", _granted),
    "scope_map.put": Inverse("scope map", _sync_scope_map),
    "sync_token.put": Inverse("sync token", _deleted_sync_token),
    "connected.create": Inverse("connected registry", _deleted_registry),
    "extension.install": Inverse("extension", _uninstalled),
    "permissions.grant": Inverse("rights in the scope map", _granted),
    "permissions.revoke": Inverse("rights in the scope map", _revoked),
    "connected.update": Inverse("settings of", _former_settings),
    "connected.client_tokens": Inverse("client tokens of", _former_client_tokens),
    "extension.update": Inverse("extension", _former_extension),
    "client_scope_map.put": Inverse("scope map", _client_scope_map),
    "client_token.put": Inverse("client token", _client_token),
    "client_token.link": Inverse("client tokens of", _unlinked),
    "pull_secret.put": Inverse("pull secret", _pull_secret, compares=True),
    "workload.put": Inverse("workload", _former_workload, compares=True),
    "workload.switch": Inverse("workload", _switched_back, void_after=_OLD_PASSWORD),
    "pull_secret.renew": Inverse("pull secret", _renewed, compares=True, void_after=_OLD_PASSWORD),
    "client_password.end": Reason.PASSWORD,
    "token.rotate": Reason.PASSWORD,
    "token.end": Reason.PASSWORD,
    "connected.deactivate": Reason.ACTIVATION,
    "connected.resync": Reason.SYNC,
    "acr.delete": Reason.DELETED,
    "connected.remove": Reason.DELETED,
    "extension.remove": Reason.DELETED,
    "token.remove": Reason.DELETED,
    "scope_map.remove": Reason.DELETED,
    "scope_map.narrow": Reason.DELETED,
    "workload.delete": Reason.DELETED,
    "pull_secret.delete": Reason.DELETED,
    "client_token.unlink": Reason.DELETED,
    "client_token.delete": Reason.DELETED,
    "client_scope_map.delete": Reason.DELETED,
    "child.run": Reason.PARTS,
    "child.start": Reason.PARTS,
}
"""By kind of step: how it is taken back, or why it is not. What is not here changes nothing that lasts."""
