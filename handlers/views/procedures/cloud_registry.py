"""What is done to a cloud registry itself, as people read it: four kinds of operation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from handlers.kit.language import t
from handlers.kit.text import code, listed
from handlers.views.procedures.registry_steps import READER_WORDS, image_fields, image_keeps, image_remark
from handlers.views.procedures.words import (
    ACR_OPTIONS,
    ARRIVAL_CAUSES,
    ARRIVAL_FINDINGS,
    AZURE_FINDINGS,
    IMAGE_CAUSES,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.model.operation import Operation
from services.operations.cloud_registry.request import AcrReady, Cause, Code

_FINDINGS: Mapping[str, FindingWords] = {
    **AZURE_FINDINGS,
    Code.REGISTRY_FOUND: FindingWords("The cloud registry {registry} exists ({sku}, {location})."),
    Code.REGISTRY_THERE: FindingWords("The cloud registry {registry} exists already ({sku}, {location})."),
    Code.REGISTRY_GONE: FindingWords("There is no cloud registry {registry} any more."),
    Code.REGISTRY_ABSENT: FindingWords(
        "There is no cloud registry {registry} in the resource group {group}.",
        "Create it, if the name is right.",
        command="acr create {site}",
    ),
    Code.REGISTRY_BUSY: FindingWords(
        "{registry} is being changed at the moment ({state}).", "Run the command again when that has ended."
    ),
    Code.REGISTRY_TO_CREATE: FindingWords(
        "{registry} is created in {location}, in the Premium tier, which costs money every month."
    ),
    Code.REGISTRY_NAME_TAKEN: FindingWords(
        "No registry can be created under the name {registry}. Azure says: {message}",
        "Choose another name for it in the site file (`acr.name`); it has to be unique in the whole cloud.",
    ),
    Code.PROVIDER_MISSING: FindingWords(
        "The subscription has not registered {provider}, so Azure would refuse the registry.",
        "Register it first.",
        "az provider register --namespace {provider} --subscription {subscription} --wait",
        "provider register {site}",
    ),
    Code.TIER_COSTS: FindingWords(
        "{registry} goes from {sku} to Premium, and from then on costs what that tier costs. It can't go back while it"
        " has connected registries."
    ),
    Code.DATA_ENDPOINT_HOSTS: FindingWords(
        "The data endpoint of {registry} is switched on for all its clients: firewalls with rules for its hosts need"
        " one for it."
    ),
    Code.IMAGES_KEPT: FindingWords("These tags are there already and stay as they are: {images}."),
    Code.IMAGE_OTHER: FindingWords(
        "{registry} has {image} as {digest}; {expected} is asked for, and an import never overwrites.",
        "Delete that tag if nothing needs it, or import under another one.",
    ),
    Code.STILL_CONNECTED: FindingWords(
        "Connected registries sync from {registry}: {connected}. They would go with it, and their edges be cut off.",
        "Remove each of them first, with `remove`.",
    ),
    Code.ALL_IS_LOST: FindingWords(
        "All images, tokens and scope maps of {registry} are deleted with it, and can't be brought back. Its name is"
        " free for anybody afterwards."
    ),
    Code.DELETION_NOT_ALLOWED: FindingWords(
        "The bot's Azure identity lacks rights at {registry}: {missing}.",
        "Whoever runs the bot has to give it the custom role in `deploy/azure/registry-deletion.json`.",
    ),
}
_CAUSES: Mapping[str, CauseWords] = {
    Cause.STILL_BASIC: CauseWords(
        "Azure accepted the change but shows other values: tier {sku}, data endpoint {data_endpoint}.",
        "Somebody may have changed it at the same time. Look at it.",
        f"az acr show {ACR_OPTIONS}",
        retry="Then retry.",
    ),
    Cause.CONNECTED_SINCE: CauseWords(
        "Connected registries were created since the deletion was planned: {connected}. Nothing was deleted.",
        "Remove them first, with `remove`, or leave the cloud registry.",
        retry="Then retry.",
    ),
    **IMAGE_CAUSES,
}


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    if ready := operation.output(AcrReady):
        yield t("Login server"), code(ready.login_server)
        yield t("Data endpoints"), listed(map(code, ready.hosts))


UPDATE_WORDS = ProcedureWords(
    title="Prepare the cloud registry {target}",
    success="ready for connected registries",
    nothing=lambda operation: t(
        "There was nothing to do: {target} is Premium and has its data endpoint on.", target=code(operation.target)
    ),
    steps={
        "acr.create": StepWords("Cloud registry {name}", "Premium, in {location}, with its data endpoint on"),
        "acr.upgrade": StepWords("Tier of {name}", "{sku} → Premium"),
        "acr.data_endpoint": StepWords("Data endpoint of {name}", "enabled; firewalls at the edge must let it through"),
        "acr.ready": StepWords("{name} is Premium and has its data endpoint on"),
        "acr.import": StepWords("Image {image}", "from {source}; an existing tag is kept"),
        "acr.delete": StepWords("Cloud registry {name}", "with all its images, tokens and scope maps"),
    },
    fields=_fields,
    causes=_CAUSES,
    findings=_FINDINGS,
)
CREATE_WORDS = replace(
    UPDATE_WORDS,
    title="Create the cloud registry {target}",
    success="created",
    idle="exists already",
    nothing=lambda operation: t(
        "There was nothing to create: {target} exists. {command} gives it what connected registries need.",
        target=code(operation.target),
        command=code(f"acr update {operation.site}"),
    ),
)

IMPORT_WORDS = replace(
    UPDATE_WORDS,
    title="Import images into {target}",
    success="imported",
    steps={**UPDATE_WORDS.steps, **READER_WORDS},
    fields=image_fields,
    remark=image_remark,
    keeps=image_keeps,
    causes={**_CAUSES, **ARRIVAL_CAUSES},
    findings={**_FINDINGS, **ARRIVAL_FINDINGS},
)
DELETE_WORDS = replace(
    UPDATE_WORDS,
    title="Delete the cloud registry {target}",
    success="deleted",
    idle="nothing to delete",
    nothing=lambda operation: t(
        "There was nothing to delete: there is no cloud registry {target}.", target=code(operation.target)
    ),
)
