"""The creation of a connected registry, as people read it."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.kit.language import t
from handlers.kit.text import escape, listed
from handlers.views.procedures.registry_steps import connected_settings, synced
from handlers.views.procedures.words import (
    ACR_OPTIONS,
    AZURE_FINDINGS,
    REGISTRY_OPTIONS,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.create.request import Code, CreateOptions
from services.policy.sites import synced_repositories


def _granted(params: Mapping[str, Any]) -> str:
    if not params["actions"]:
        return t("complete already")
    count = len(params["actions"])
    return t("gets {count} right{s} that the one below it needs", count=count, s="" if count == 1 else "s")


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    nested = isinstance(operation.options, CreateOptions) and operation.options.parent
    for step in operation.planned:
        if step.kind == "connected.create":
            yield t("Connected registry"), escape(f"{step.params['name']}, {connected_settings(step.params)}")
        if step.kind == "scope_map.put":
            actions = step.params["actions"]
            repositories = synced_repositories(map(str, actions if isinstance(actions, tuple | list) else ()))
            yield t("Repositories"), escape(listed(repositories))
    below = t("none yet: `extension deploy` installs one, and `--parent-protocol` says how its parent is served")
    yield t("Extension"), below if nested else t("none yet: `extension deploy` installs one")


WORDS = ProcedureWords(
    title="Create {target} for {site}",
    success="created",
    idle="exists as asked for",
    steps={
        "acr.data_endpoint": StepWords("Data endpoint of {name}", lambda _params: t("off → on")),
        "scope_map.grant": StepWords("Rights of {registry}", _granted),
        "scope_map.put": StepWords("Scope map {name}", synced),
        "sync_token.put": StepWords("Sync token {name}", lambda _params: t("without a password yet")),
        "connected.create": StepWords("Connected registry {name}", connected_settings),
    },
    fields=_fields,
    findings={
        **AZURE_FINDINGS,
        Code.REGISTRY_READY: FindingWords("The cloud registry {registry} is Premium, with its data endpoint on."),
        Code.REGISTRY_ABSENT: FindingWords(
            "There is no cloud registry {registry} in the resource group {group}.",
            "Check the site file, or create it.",
            f"az acr show {ACR_OPTIONS}",
        ),
        Code.REGISTRY_NOT_PREMIUM: FindingWords(
            "The cloud registry {registry} is {sku}; connected registries need Premium.",
            "Change its tier, which costs more.",
            f"az acr update {ACR_OPTIONS} --sku Premium",
            "acr update {site}",
        ),
        Code.REGISTRY_BUSY: FindingWords(
            "The cloud registry {registry} is being changed at the moment ({state}).",
            "Run the command again when that has ended.",
        ),
        Code.DATA_ENDPOINT_OFF: FindingWords(
            "The data endpoint of {registry} is off. It is switched on for all clients of the cloud registry: firewalls"
            " with rules for its hosts need one for it."
        ),
        Code.NAME_FREE: FindingWords("The name {name} is free."),
        Code.CONNECTED_SAME: FindingWords("{name} exists as asked for ({state})."),
        Code.CONNECTED_DIFFERS: FindingWords(
            "{name} exists with other values: {changes}.",
            "Schedule, window, message TTL, garbage collection and audit logs are changed by `update`. Mode, parent and"
            " sync token can't be changed: choose another name, or delete it first.",
        ),
        Code.REPOSITORIES_DIFFER: FindingWords(
            "{name} exists and lacks rights: {missing}.", "Add the repositories with `permissions add`."
        ),
        Code.QUOTA_LEFT: FindingWords("The cloud registry has {count} of {limit} connected registries."),
        Code.QUOTA_FULL: FindingWords(
            "The cloud registry has {count} connected registries, and Azure allows {limit}.",
            "Delete one that nobody needs.",
        ),
        Code.PARENT_FITS: FindingWords("{parent} can be the parent."),
        Code.PARENT_ABSENT: FindingWords(
            "The cloud registry {registry} has no connected registry {parent} to be the parent.",
            "Check the name. There are: {names}.",
        ),
        Code.PARENT_BUSY: FindingWords(
            "{parent} is being changed at the moment ({state}).", "Run the command again when that has ended."
        ),
        Code.PARENT_MODE: FindingWords(
            "{parent} is {parent_mode}, so that one below it can't be {mode}.",
            "Choose the same mode, or a parent that takes pushes (ReadWrite).",
        ),
        Code.PARENT_WITHOUT_RIGHTS: FindingWords(
            "{holders} can't get the rights that one below needs: its sync token has no scope map of its own.",
            "Look at it with `permissions show`.",
        ),
        Code.PERMISSIONS_FIT: FindingWords(
            "The fullest scope map, {scope_map}, has {count} of {limit} permissions afterwards."
        ),
        Code.PERMISSIONS_TOO_MANY: FindingWords(
            "The scope map {scope_map} would have {count} permissions, and Azure allows {limit}.",
            "Name fewer repositories, or take some from those above with `permissions remove`.",
        ),
        Code.SCOPE_MAP_FREE: FindingWords("No scope map is called {name}."),
        Code.SCOPE_MAP_SAME: FindingWords("The scope map {name} has the rights already."),
        Code.SCOPE_MAP_FOREIGN: FindingWords(
            "There is a scope map {name} with other rights (too many: {surplus}; missing: {missing}).",
            "If it is left from an earlier connected registry, run `delete` with `--cleanup` first.",
            f"az acr scope-map show --name {{name}} {REGISTRY_OPTIONS}",
        ),
        Code.TOKEN_FREE: FindingWords("No token is called {name}."),
        Code.TOKEN_SAME: FindingWords("The token {name} is there, with that scope map."),
        Code.TOKEN_FOREIGN: FindingWords(
            "There is a token {name} that can't be its sync token (scope map {scope_map}, enabled: {enabled}, used by"
            " {users}).",
            "If it is left from an earlier connected registry, run `delete` with `--cleanup` first.",
            f"az acr token show --name {{name}} {REGISTRY_OPTIONS}",
        ),
        Code.SYNC_TOKEN_FITS: FindingWords(
            "The token {token} is nobody else's, and its scope map {scope_map} lets {name} sync {repositories}."
        ),
        Code.SYNC_TOKEN_ABSENT: FindingWords(
            "The cloud registry {registry} has no token {token}.",
            "Check the name; similar ones: {near}. Without `--sync-token` it gets one of its own.",
            f"az acr token list {REGISTRY_OPTIONS} --output table",
        ),
        Code.SYNC_TOKEN_DISABLED: FindingWords(
            "The token {token} is disabled, so that {name} could not sync.",
            "If that was not on purpose, enable it first.",
            f"az acr token update --name {{token}} {REGISTRY_OPTIONS} --status enabled",
        ),
        Code.SYNC_TOKEN_USED: FindingWords(
            "Others use the token {token}: {users}. Each new password of it would cut them off.",
            "Name a token that nobody uses, or leave out `--sync-token`: then it gets one of its own.",
        ),
        Code.SYNC_TOKEN_MAP_SHARED: FindingWords(
            "The scope map {scope_map} of the token {token} is one of Azure's own or that of other tokens too"
            " ({sharing}), so that `permissions` of {name} would change theirs.",
            "Give the token a scope map of its own, or leave out `--sync-token`.",
            f"az acr token update --name {{token}} {REGISTRY_OPTIONS} --scope-map {{name}}",
        ),
        Code.SYNC_TOKEN_RIGHTS: FindingWords(
            "The scope map {scope_map} of the token {token} lacks rights that {name} syncs by: {missing}.",
            "Add them, with at least one repository, by `az acr scope-map update`.",
            f"az acr scope-map show --name {{scope_map}} {REGISTRY_OPTIONS}",
        ),
        Code.SYNC_TOKEN_GATEWAYS: FindingWords(
            "The scope map {scope_map} of the token {token} acts for other connected registries: {others}.",
            "Name a token of its own, or leave out `--sync-token`.",
        ),
        Code.REPOSITORIES_FOUND: FindingWords("The repositories hold images in {registry}: {repositories}."),
        Code.REPOSITORIES_EMPTY: FindingWords(
            "The cloud registry {registry} has no image in {empty}, so the edge would sync nothing from there.",
            "Push or import an image first, or check the name.",
        ),
        Code.REPOSITORIES_EMPTY_FOR_NOW: FindingWords(
            "The cloud registry {registry} has no image in {empty} yet. {name} takes pushes, so it may fill them."
        ),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has all rights that the creation uses."),
    },
)
