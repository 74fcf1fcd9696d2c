"""Steps on scope maps and tokens of the cloud registry, for each kind of operation that has them.

`name` among a step's parameters is that of the scope map or token.
"""

from collections.abc import Awaitable, Callable

from services.model.azure import Token
from services.model.errors import Absent
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line, scope_options
from services.operations.step import Done, Progress, Scene, Step, follow, followed, is_there
from services.policy.sites import Site

Begin = Callable[[Scene], Awaitable[Progress]]
Line = Callable[[Site, Operation, PlannedStep], str]


SLOTS = ("password1", "password2")
"""A token's two passwords; which of them is in use can't be read."""


def idle_slot(token: Token | None) -> str:
    """The password slot that nobody uses, else the older one: a running registry keeps the one that it works with."""
    ages = {slot.name: slot.created.timestamp() if slot.created else 0 for slot in (token.passwords if token else ())}
    return min(SLOTS, key=lambda name: ages.get(name, -1))


def scope_maps_lock(site: Site) -> str:
    """The lock of an operation that changes scope maps of others than its own connected registry.

    Azure takes the whole list of a scope map's actions, so that of two changes at a time one would be lost.
    """
    return f"{site.acr_ref.id}/scopeMaps".lower()


def put_scope_map(kind: str, begin: Begin, line: Line) -> Step:
    """A step that creates or changes a scope map."""
    return Step(
        kind,
        begin,
        line,
        wait=follow,
        writes=lambda site, planned: f"{site.acr_ref.id}/scopeMaps/{planned.params['name']}",
        exists=lambda scene: is_there(scene.azure.scope_maps.get(scene.site.acr_ref, scene.params["name"])),
    )


def narrow_scope_map(kind: str) -> Step:
    """A step that takes `actions` from a scope map as it is now: others may have changed it since the plan was made.

    Nothing to do where there is no such scope map.
    """

    async def begin(scene: Scene) -> Progress:
        acr, name = scene.site.acr_ref, scene.params["name"]
        try:
            scope_map = await scene.azure.scope_maps.get(acr, name)
        except Absent:
            return Done()
        actions = [action for action in scope_map.actions if action not in scene.params["actions"]]
        if len(actions) == len(scope_map.actions):
            return Done()
        return followed(await scene.azure.scope_maps.update(acr, name, actions))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return _update_line(site, planned, "remove_")

    return Step(kind, begin, line, wait=follow)


def widen_scope_map(kind: str) -> Step:
    """A step that adds `actions` to a scope map as it is now. Raises `Absent` where there is none."""

    async def begin(scene: Scene) -> Progress:
        acr, name = scene.site.acr_ref, scene.params["name"]
        scope_map = await scene.azure.scope_maps.get(acr, name)
        actions = sorted({*scope_map.actions, *scene.params["actions"]})
        if len(actions) == len(scope_map.actions):
            return Done()
        return followed(await scene.azure.scope_maps.update(acr, name, actions))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return _update_line(site, planned, "add_")

    return Step(kind, begin, line, wait=follow)


def _update_line(site: Site, planned: PlannedStep, prefix: str) -> str:
    actions = planned.params["actions"]
    update = command_line("az acr scope-map update", name=planned.params["name"], **acr_options(site.acr_ref))
    return f"{update} {scope_options(actions if isinstance(actions, tuple | list) else (), prefix)}"


def put_token(kind: str, begin: Begin, line: Line) -> Step:
    """A step that creates a token, or gives it another scope map."""
    return Step(
        kind,
        begin,
        line,
        wait=follow,
        interval=2,
        writes=lambda site, planned: f"{site.acr_ref.id}/tokens/{planned.params['name']}",
        exists=lambda scene: is_there(scene.azure.tokens.get(scene.site.acr_ref, scene.params["name"])),
    )


def delete_token(kind: str, *, interval: float = 3) -> Step:
    """A step that deletes a token; asked every `interval` seconds whether it is gone."""

    async def begin(scene: Scene) -> Progress:
        return followed(await scene.azure.tokens.delete(scene.site.acr_ref, scene.params["name"]))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line("az acr token delete", name=planned.params["name"], **acr_options(site.acr_ref), yes=True)

    return Step(kind, begin, line, wait=follow, interval=interval)


def delete_scope_map(kind: str) -> Step:
    """A step that deletes a scope map."""

    async def begin(scene: Scene) -> Progress:
        return followed(await scene.azure.scope_maps.delete(scene.site.acr_ref, scene.params["name"]))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        options = acr_options(site.acr_ref)
        return command_line("az acr scope-map delete", name=planned.params["name"], **options, yes=True)

    return Step(kind, begin, line, wait=follow)
