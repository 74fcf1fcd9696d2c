"""Steps on scope maps and tokens of the cloud registry, for each kind of operation that has them.

`name` among a step's parameters is that of the scope map or token.
"""

from collections.abc import Awaitable, Callable

from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line
from services.operations.step import Progress, Scene, Step, follow, followed, is_there
from services.policy.sites import Site

Begin = Callable[[Scene], Awaitable[Progress]]
Line = Callable[[Site, Operation, PlannedStep], str]


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
