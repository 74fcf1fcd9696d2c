"""The deletion of a connected registry, as people read it."""

from collections.abc import Iterable

from handlers.kit.language import phrase, t
from handlers.kit.text import code, escape, listed
from handlers.views.procedures.registry_steps import lost_gateways
from handlers.views.procedures.words import AZURE_FINDINGS, FindingWords, ProcedureWords, StepWords
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.delete.request import Code, DeleteOptions

_DELETED = {
    "connected.remove": phrase("Connected registry"),
    "token.remove": phrase("Tokens"),
    "scope_map.remove": phrase("Scope maps"),
}


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    for kind, label in _DELETED.items():
        if names := [escape(str(step.params["name"])) for step in operation.planned if step.kind == kind]:
            yield t(label), t("{names} deleted", names=listed(names))


def _nothing(operation: Operation) -> str:
    """With names that are alike: a slip in the name finds nothing too."""
    near = [
        name
        for finding in (operation.plan.findings if operation.plan else ())
        if finding.code == Code.CONNECTED_ABSENT and isinstance(near := finding.facts.get("near"), tuple)
        for name in near
    ]
    cleanup = isinstance(operation.options, DeleteOptions) and operation.options.cleanup
    things = t("connected registry, sync token or scope map") if cleanup else t("connected registry")
    text = t(
        "There was nothing to delete: Azure has no {things} of {target}.", things=things, target=code(operation.target)
    )
    return t("{text} Similar names: {near}.", text=text, near=listed(map(code, near))) if near else text


WORDS = ProcedureWords(
    title="Delete {target} from the cloud registry of {site}",
    success="deleted",
    idle="nothing to delete",
    nothing=_nothing,
    steps={
        "connected.remove": StepWords("Connected registry {name}"),
        "scope_map.narrow": StepWords("Scope map {name}", lost_gateways),
        "token.remove": StepWords("Sync token {name}"),
        "scope_map.remove": StepWords("Scope map {name}"),
    },
    fields=_fields,
    findings={
        **AZURE_FINDINGS,
        Code.CONNECTED_FOUND: FindingWords("The connected registry {name} exists ({mode}, {state})."),
        Code.CONNECTED_ABSENT: FindingWords("The cloud registry {registry} has no connected registry {name}."),
        Code.CONNECTED_BUSY: FindingWords(
            "{name} is being changed at the moment ({state}).", "Run the command again when that has ended."
        ),
        Code.CHILDREN: FindingWords(
            "Connected registries below {name} sync through it: {children}.", "Delete them first."
        ),
        Code.EXTENSION_SERVES: FindingWords(
            "The extension {extension} at {site} runs {name}.",
            "`remove` takes the extension along, with the plan for its cluster.",
            command="remove {name} --site {site}",
        ),
        Code.EXTENSION_UNCLEAR: FindingWords(
            "Azure does not show whether the extension {extension} at {site} runs {name}.",
            "`remove` lets you say whose it is.",
            command="remove {name} --site {site}",
        ),
        Code.NO_EXTENSION: FindingWords("No extension at {site} runs it."),
        Code.IN_CONTACT: FindingWords(
            "{name} is active ({state}, last seen {last_activity}), so an installation runs somewhere, perhaps at"
            " another site.",
            "Remove it by the site where it runs.",
        ),
        Code.SILENT_BY_SCHEDULE: FindingWords(
            "{name} is active and {state} (last seen {last_activity}), as its schedule {schedule} has it most of the"
            " time: an installation may run somewhere.",
            "Remove it by the site where it runs. If its installation is gone, deactivate it first.",
        ),
        Code.DEACTIVATED_FIRST: FindingWords(
            "{name} is active but {state} (last seen {last_activity}). An installation that comes back can't sync any"
            " more."
        ),
        Code.UNSYNCED_DATA: FindingWords(
            "{name} takes pushes (ReadWrite). Whatever was pushed to it since its last sync ({last_sync}) exists on its"
            " volume alone and never gets to the cloud."
        ),
        Code.SYNC_ACCESS_STAYS: FindingWords(
            "Its sync token ({tokens}) and its scope map ({scope_maps}) stay, with the rights that name it in those of"
            " registries above it.",
            "To delete them too, add `--cleanup`.",
        ),
        Code.TOKENS_IN_USE: FindingWords(
            "Other connected registries use these tokens, so they stay: {tokens} ({users})."
        ),
        Code.SCOPE_MAPS_IN_USE: FindingWords(
            "Other tokens use these scope maps, so they stay: {scope_maps} ({users})."
        ),
        Code.CLIENT_TOKENS_STAY: FindingWords(
            "Its client tokens stay, since they work at the cloud registry too: {tokens}."
        ),
        Code.ANCESTORS_KEEP: FindingWords(
            "{ancestors} may read repositories that only {name} is known to use: {repositories}. It may sync them for"
            " itself, so these rights stay.",
            "If nobody needs them there, take them away afterwards with `permissions remove`.",
        ),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has all rights that the deletion uses."),
    },
)
