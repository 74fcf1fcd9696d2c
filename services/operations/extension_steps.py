"""Steps on an extension that is installed, for each kind of operation that changes one.

Azure takes an extension's protected settings only as a whole and never shows them, so whoever changes one of them sends
a new connection string with it. A step that is begun again makes another password in the same slot, which nobody else
has: so none is left behind that is in use and that nobody could tell.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.model.azure import Extension, Pending
from services.model.errors import Failure, Refused
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.model.secret import Secret
from services.operations import certificates
from services.operations.command_line import Variable, acr_options, command_line, fetched, kubectl_options
from services.operations.connection_string import connection_string
from services.operations.passwords import new_password, password_left, planned_slot
from services.operations.step import Done, Going, Progress, Scene, Step, again
from services.policy.extensions import TLS_SECRET, namespace_of
from services.policy.sites import RUNTIME_NAMESPACE, Site

UNDER_WAY = frozenset({"creating", "updating", "pending"})
SLOT = frozenset({"slot"})
"""A failed run has filled the slot that was idle; a retry keeps to the approved ones, or it would end the new one."""
CONNECTION_STRING = "connectionString"
_NOT_SENT = Pending("not sent")
"""In the place of an update that can't be sent yet, since the extension is still being changed."""
_PASSWORD, _GATEWAY, PROTECTED = Variable("password"), Variable("gateway"), Variable("protected_settings")
Line = Callable[[Site, Operation, PlannedStep], str]


@asynccontextmanager
async def new_protected_settings(scene: Scene, gateway_endpoint: str = "") -> AsyncIterator[dict[str, Secret]]:
    """All of them, for the block to send: a new connection string, and what the step's parameters name beside it.

    Its password is in the `slot` of the `token` among these, and ends when it `expires`. The others are `tls_secret`,
    the name of a Secret, and `certificate`, the site's own as it was approved. Azure is asked for the
    `gateway_endpoint` where the step does not know it.
    """
    params, name = scene.params, scene.name
    others: dict[str, Secret] = {}
    if params.get("tls_secret"):
        others[TLS_SECRET] = Secret(params["tls_secret"])
    if params.get("certificate"):
        others |= certificates.settings(scene.site, scene.environment, params["certificate"]["fingerprint"])
    if not gateway_endpoint:
        registry = await scene.azure.connected.get(scene.site.acr_ref, name)
        name, gateway_endpoint = registry.name, registry.gateway_endpoint
    # The password comes last: where the files are no longer those that were approved none is made.
    async with new_password(scene, params["slot"], expires=params.get("expires")) as password:
        secret = connection_string(
            name=name,
            token=params["token"],
            password=password,
            gateway_endpoint=gateway_endpoint,
            protocol=params.get("parent_protocol", "https"),
        )
        yield {CONNECTION_STRING: secret, **others}


async def _extension(scene: Scene) -> Extension:
    return await scene.azure.extensions.get(scene.site.cluster_ref, scene.params["name"])


def change_extension(
    kind: str,
    send: Callable[[Scene], Awaitable[Pending]],
    line: Line,
    *,
    cause: str,
    is_done: Callable[[Scene, Extension], bool] = lambda _scene, _extension: False,
    writes: Callable[[Site, PlannedStep], str] = lambda _site, _planned: "",
) -> Step:
    """A step that sends a change of the extension `name`, and is done when Azure shows the extension as installed.

    It waits while the extension is still being changed, and fails of `cause` where the extension does. `is_done` says
    whether an extension at rest needs nothing more.
    """

    async def begin(scene: Scene) -> Progress:
        # What a run that died has sent may hold a password that is replaced now, so it counts for nothing.
        extension = await _extension(scene)
        if extension.provisioning_state.lower() in UNDER_WAY:
            return Going(_NOT_SENT)
        if is_done(scene, extension):
            return Done()
        pending = await send(scene)
        return Going(pending, pending.correlation_id)

    async def wait(scene: Scene, token: Pending) -> Progress:
        if token == _NOT_SENT:
            return await begin(scene)
        # The operation comes first: the extension itself may be shown for a moment as it was before.
        try:
            pending = await scene.azure.operations.poll(token)
        except Refused:
            pending = replace(token, kind="done")  # the extension says why it failed; the operation does not
        if pending.kind != "done":
            return Going(pending)
        extension = await _extension(scene)
        state = extension.provisioning_state.lower()
        if state == "succeeded":
            return Done()
        if state in UNDER_WAY:
            return Going(pending)
        problems = tuple(dict.fromkeys(problem.message for problem in extension.problems if problem.message))
        facts = {"extension": extension.name, "state": extension.provisioning_state, "problems": problems}
        raise Failure(cause, facts)

    return Step(
        kind,
        begin,
        line,
        wait=wait,
        interval=5,
        within=timedelta(minutes=30),
        writes=writes,
        leaves=password_left(planned_slot),
        shifting=SLOT,
    )


def availability_of(extension: Extension) -> dict[str, object]:
    """The parameters of `see_available`; the namespace only where it is not the one in which the bot installs."""
    namespace = namespace_of(extension)
    return {"name": extension.name, **({} if namespace == RUNTIME_NAMESPACE else {"namespace": namespace})}


def see_available(kind: str) -> Step:
    """A step that looks until the extension's Deployment is available in the cluster again."""

    def namespace(planned: PlannedStep) -> str:
        return str(planned.params.get("namespace", RUNTIME_NAMESPACE))

    async def look(scene: Scene) -> Progress:
        runtime = await (await scene.cluster()).runtime(namespace(scene.planned))
        return Done() if runtime.deployment_available else Going()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line(
            "kubectl wait deployments",
            **kubectl_options(site, namespace(planned)),
            all=True,
            **{"for": "condition=Available"},
            timeout="10m",
        )

    return Step(kind, look, line, wait=again(look), interval=3, within=timedelta(minutes=10))


def extension_options(site: Site, name: object) -> dict[str, object]:
    """The options by which the Azure CLI finds an extension."""
    arc = site.cluster_ref
    return {
        "name": name,
        "cluster_name": arc.name,
        "cluster_type": "connectedClusters",
        "resource_group": arc.resource_group,
        "subscription": arc.subscription,
    }


def protected_lines(site: Site, operation: Operation, planned: PlannedStep) -> tuple[str, ...]:
    """Lines that fill the file `PROTECTED` with what `new_protected_settings` makes."""
    params, options = planned.params, acr_options(site.acr_ref)
    expires = params.get("expires")
    generate = command_line(
        "az acr token credential generate",
        name=params["token"],
        **options,
        **{str(params["slot"]): True},
        expiration=expires.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(expires, datetime) else None,
        query="passwords[0].value",
        output="tsv",
    )
    gateway = command_line(
        "az acr connected-registry show",
        name=operation.target,
        **options,
        query="parent.syncProperties.gatewayEndpoint",
        output="tsv",
    )
    form = (
        "ConnectedRegistryName=%s;SyncTokenName=%s;SyncTokenPassword=%s;ParentGatewayEndpoint=%s;"
        "ParentEndpointProtocol=%s"
    )
    values = (operation.target, params["token"], _PASSWORD, _GATEWAY, params.get("parent_protocol", "https"))
    return (
        *fetched(_PASSWORD, generate),
        *fetched(_GATEWAY, gateway),
        *protected_file_lines(site, params, form, *values),
    )


def protected_file_lines(site: Site, params: Mapping[str, Any], form: str, *values: object) -> tuple[str, ...]:
    """Lines that fill the file `PROTECTED` with a connection string, printf's `form` of these `values`, and the others.

    Only its owner can read it, and no secret is in a process's arguments (printf is built in).
    """
    others: dict[str, object] = {TLS_SECRET: params["tls_secret"]} if params.get("tls_secret") else {}
    commands = certificates.commands(site) if params.get("certificate") else {}
    files = {key: Variable(key.replace(".", "_")) for key in commands}
    others |= files
    document = f'{{"{CONNECTION_STRING}": "{form}"' + "".join(f', "{key}": "%s"' for key in others) + "}"
    return (
        f"{PROTECTED.name}=$(mktemp)",
        f"trap 'rm -f {PROTECTED}' EXIT",
        *(f"{files[key].name}=$({command})" for key, command in commands.items()),
        f"printf '{document}\\n'{command_line('', *values, *others.values())} > {PROTECTED}",
    )
