"""A change of the repositories that a connected registry syncs, as people read it."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.kit.language import t
from handlers.kit.text import date, escape, listed
from handlers.views.procedures.words import (
    AZURE_FINDINGS,
    REGISTRY_FINDINGS,
    REGISTRY_OPTIONS,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.permissions.request import Code, EdgeSilent, EdgeSynced, PermissionsOptions
from services.policy.sites import synced_repositories


def _repositories(params: Mapping[str, Any]) -> str:
    return listed(synced_repositories(map(str, params["actions"])))


def _granted(params: Mapping[str, Any]) -> str:
    if not params["actions"]:
        return t("complete already")
    verbs = [str(action).rsplit("/", 1)[1] for action in params["actions"]]
    return t(
        "may {verbs} {repositories}",
        verbs=t("read, write and delete") if "write" in verbs else t("read"),
        repositories=_repositories(params),
    )


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    options = operation.options
    if isinstance(options, PermissionsOptions):
        yield t("Added"), escape(listed(options.add))
        yield t("Removed"), escape(listed(options.remove))
    # Azure shows that a sync has ended, and nothing finer.
    if synced := operation.output(EdgeSynced):
        yield t("Edge"), t("has synced since ({last_sync})", last_sync=date(synced.last_sync))
    elif silent := operation.output(EdgeSilent):
        contact = t(", expected {next_contact}", next_contact=date(silent.next_contact)) if silent.next_contact else ""
        yield (
            t("Edge"),
            t(
                "is {state}, and takes the change over with its next contact{contact}",
                state=escape(silent.state),
                contact=contact,
            ),
        )
    else:
        yield t("Edge"), t("has not synced since; it takes the change over with its next sync")


WORDS = ProcedureWords(
    title="Change the repositories of {target} at {site}",
    success="changed",
    idle="nothing to change",
    steps={
        "permissions.grant": StepWords("Rights of {registry}", _granted),
        "permissions.revoke": StepWords(
            "Rights of {registry}",
            lambda params: (
                t("loses {repositories}", repositories=_repositories(params))
                if params["actions"]
                else t("has none of them")
            ),
        ),
        "permissions.synced": StepWords("Next sync of {name}"),
    },
    fields=_fields,
    findings={
        **REGISTRY_FINDINGS,
        **AZURE_FINDINGS,
        Code.MANAGED_IDENTITY: FindingWords(
            "{name} syncs with a managed identity, so that its Azure roles decide what it syncs.",
            "Change the role assignment of its identity instead.",
        ),
        Code.SCOPE_MAPS_FOUND: FindingWords("The scope maps that have to change are there."),
        Code.SCOPE_MAP_ABSENT: FindingWords(
            "The sync token {token} of {holder} does not exist, or its scope map does not.",
            "Without it {holder} can't sync at all. Look at it first.",
            f"az acr token show --name {{token}} {REGISTRY_OPTIONS}",
        ),
        Code.SCOPE_MAP_SYSTEM: FindingWords(
            "The sync token of {holder} has the scope map {scope_map}, which is Azure's own and can't be changed.",
            "Give its sync token a scope map of its own.",
        ),
        Code.SCOPE_MAP_SHARED: FindingWords(
            "Other tokens have the same scope maps ({scope_maps}), so the change counts for all of them: {tokens}."
        ),
        Code.PERMISSIONS_FIT: FindingWords(
            "The fullest scope map, {scope_map}, has {count} of {limit} permissions afterwards."
        ),
        Code.PERMISSIONS_TOO_MANY: FindingWords(
            "The scope map {scope_map} would have {count} permissions, and Azure allows {limit}.",
            "Take repositories away first with `permissions remove`, or spread them over several connected registries.",
        ),
        Code.REPOSITORIES_FOUND: FindingWords("The repositories hold images in {registry}: {repositories}."),
        Code.REPOSITORIES_EMPTY: FindingWords(
            "The cloud registry {registry} has no image in {empty}, so the edge would sync nothing from there.",
            "Push or import an image first, or check the name.",
        ),
        Code.REPOSITORIES_EMPTY_FOR_NOW: FindingWords(
            "The cloud registry {registry} has no image in {empty} yet. {name} takes pushes, so it may fill them."
        ),
        Code.REPOSITORIES_ABSENT: FindingWords("No right of {name} is to {absent}. It has rights to {repositories}."),
        Code.NOTHING_LEFT: FindingWords("{name} syncs no repository at all afterwards, and its edge serves nothing."),
        Code.BELOW: FindingWords(
            "Connected registries below {name} sync {repositories} through it: {below}.",
            "Take the repositories from those first, with `permissions remove`.",
        ),
        Code.ANCESTORS_KEEP: FindingWords(
            "{ancestors} may read repositories that only {name} is known to use: {repositories}. It may sync them for"
            " itself, so these rights stay.",
            "If nobody needs them there, take them away afterwards with `permissions remove`.",
        ),
        Code.UNSYNCED_DATA: FindingWords(
            "{name} takes pushes (ReadWrite). Whatever was pushed to {repositories} since its last sync ({last_sync})"
            " exists at the edge alone and is lost.",
            "To keep it, let {name} sync first, or copy the images.",
        ),
        Code.CLIENTS_LOSE: FindingWords(
            "These client tokens can no longer pull {repositories} from {name}, since the edge deletes the images:"
            " {tokens}."
        ),
        Code.NO_CLIENT_LOSES: FindingWords("No client token of {name} pulls from these repositories."),
        Code.WORKLOADS_LOSE: FindingWords(
            "Workloads run images of these repositories from {name}: {workloads}. They run on with the images that"
            " their nodes have, and can't start where an image is missing.",
            "Point them to another registry first.",
        ),
        Code.NO_WORKLOAD_LOSES: FindingWords("No workload of the cluster runs images of these repositories."),
        Code.IN_CONTACT: FindingWords("{name} takes the change over with its next sync (schedule {schedule})."),
        Code.NOT_IN_CONTACT: FindingWords(
            "{name} is {state} (last seen {last_activity}). Its runtime takes the change over at its next contact."
        ),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has the right to change scope maps."),
    },
)
