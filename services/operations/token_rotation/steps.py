"""The steps of a rotation.

The password lives between two awaits of `_send` and nowhere else: no answer, error or checkpoint holds it. A step that
is begun again makes another password in the same slot, which nobody else has: so none is left behind that is in use
and that nobody could tell.
"""

import shlex
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.azure import Extension, Pending
from services.model.errors import Failure, Refused
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import Variable, acr_options, command_line, lines
from services.operations.connection_string import connection_string
from services.operations.step import Done, Going, Progress, Scene, Step, follow, followed
from services.operations.token_rotation.request import Cause, InContact
from services.operations.token_steps import idle_slot
from services.policy.sites import Site

UNDER_WAY = frozenset({"creating", "updating", "pending"})
NO_CONTACT_AFTER = timedelta(minutes=20)
"""A new password takes up to a minute to be known everywhere (Learn: repository-scoped tokens), a crash loop pauses for
five; an edge that syncs all the time is in contact each minute."""
_NOT_SENT = Pending("not sent")
"""In the place of an update that can't be sent yet, since the extension is still being changed."""
NEVER = "never"
"""In the place of the last contact of a registry that has had none."""
_PASSWORD, _GATEWAY, _PROTECTED = Variable("password"), Variable("gateway"), Variable("protected_settings")
_SLOT = frozenset({"slot"})
"""A failed run has filled the slot that was idle; a retry keeps to the approved ones, or it would end the new one."""


async def _send(scene: Scene) -> Progress:
    """Mint and hand on, with nothing stored between."""
    acr, params = scene.site.acr_ref, scene.params
    registry = await scene.azure.connected.get(acr, scene.name)
    password = await scene.azure.tokens.generate_password(
        acr, f"{acr.id}/tokens/{params['token']}", params["slot"], expires=params["expires"]
    )
    string = connection_string(
        name=registry.name, token=params["token"], password=password, gateway_endpoint=registry.gateway_endpoint
    )
    pending = await scene.azure.extensions.replace_secrets(
        scene.site.cluster_ref, params["name"], {"connectionString": string}
    )
    return Going(pending, pending.correlation_id)


async def _extension(scene: Scene) -> Extension:
    return await scene.azure.extensions.get(scene.site.cluster_ref, scene.params["name"])


def rotate(kind: str) -> Step:
    """A step that makes a new password in the idle slot, and replaces the extension's secret by it and nothing else."""

    async def begin(scene: Scene) -> Progress:
        # What a run that died has sent may hold a password that is replaced now, so it counts for nothing.
        if (await _extension(scene)).provisioning_state.lower() in UNDER_WAY:
            return Going(_NOT_SENT)
        return await _send(scene)

    async def wait(scene: Scene, token: Pending) -> Progress:
        if token == _NOT_SENT:
            is_busy = (await _extension(scene)).provisioning_state.lower() in UNDER_WAY
            return Going(token) if is_busy else await _send(scene)
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
        raise Failure(Cause.UPDATE_FAILED, facts)

    return Step(
        kind,
        begin,
        _rotation_line,
        wait=wait,
        interval=5,
        within=timedelta(minutes=30),
        writes=lambda site, planned: f"{site.acr_ref.id}/tokens/{planned.params['token']}",
        shifting=_SLOT,
    )


def _rotation_line(site: Site, operation: Operation, planned: PlannedStep) -> str:
    """The secret is in a file that only its owner can read, and in no process's arguments (printf is built in)."""
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
        '{"connectionString": "ConnectedRegistryName=%s;SyncTokenName=%s;SyncTokenPassword=%s;'
        'ParentGatewayEndpoint=%s;ParentEndpointProtocol=https"}'
    )
    names = f"{shlex.quote(operation.target)} {shlex.quote(str(params['token']))}"
    update = command_line(
        "az k8s-extension update",
        name=params["name"],
        cluster_name=site.cluster_ref.name,
        cluster_type="connectedClusters",
        resource_group=site.cluster_ref.resource_group,
        subscription=site.cluster_ref.subscription,
        config_protected_file=_PROTECTED,
        yes=True,
    )
    # Azure CLIs for Windows end lines with a carriage return.
    return lines(
        (
            f"{_PASSWORD.name}=$({generate})",
            f"{_PASSWORD.name}=$(printf '%s' {_PASSWORD} | tr -d '\\r')",
            f"{_GATEWAY.name}=$({gateway})",
            f"{_GATEWAY.name}=$(printf '%s' {_GATEWAY} | tr -d '\\r')",
            f"{_PROTECTED.name}=$(mktemp)",
            f"trap 'rm -f {_PROTECTED}' EXIT",
            f"printf '{form}\\n' {names} {_PASSWORD} {_GATEWAY} > {_PROTECTED}",
            update,
        )
    )


def see_contact(kind: str, cause: Cause) -> Step:
    """A step that waits for a contact after its beginning, by Azure's clock alone; without one it fails of `cause`."""

    async def begin(scene: Scene) -> Progress:
        # Only a later contact was made with the password that is the runtime's now.
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        return Going(registry.last_activity.isoformat() if registry.last_activity else NEVER)

    async def wait(scene: Scene, token: str) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        contact = registry.last_activity
        # One that is Unhealthy is in contact too.
        if contact and contact.isoformat() != token and registry.connection_state != "Offline":
            return Done(InContact(contact))
        if scene.waited >= NO_CONTACT_AFTER * scene.patience:
            facts = {"state": registry.connection_state, "last_activity": contact, "schedule": registry.schedule}
            raise Failure(cause, facts)
        return Going(token)

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        show = command_line(
            "az acr connected-registry show",
            name=operation.target,
            **acr_options(site.acr_ref),
            query="lastActivityTime",
            output="tsv",
        )
        return "\n".join(
            (
                f"contact=$({show})",
                f"while later_contact=$({show}) || exit; do",
                '  [ "$later_contact" = "$contact" ] || break',
                "  sleep 10",
                "done",
            )
        )

    return Step(kind, begin, line, wait=wait, interval=5, within=2 * NO_CONTACT_AFTER)


def end_password(kind: str) -> Step:
    """A step that ends the password in a slot, as long as it is the older one."""

    async def begin(scene: Scene) -> Progress:
        params = scene.params
        # Before a retry somebody may have made another password in this very slot, and the runtime works with it.
        if idle_slot(await scene.azure.tokens.get(scene.site.acr_ref, params["token"])) != params["slot"]:
            raise Failure(Cause.PASSWORD_REPLACED, {"slot": params["slot"], "token": params["token"]})
        return followed(await scene.azure.tokens.end_password(scene.site.acr_ref, params["token"], params["slot"]))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        slot = {str(planned.params["slot"]): True}
        token = planned.params["token"]
        return command_line("az acr token credential delete", name=token, **acr_options(site.acr_ref), **slot)

    return Step(kind, begin, line, wait=follow, interval=2, shifting=_SLOT)


ROTATE = rotate("token.rotate")
CONTACT = see_contact("token.contact", Cause.NO_CONTACT)
END = end_password("token.end")
STILL_IN_CONTACT = see_contact("token.still_in_contact", Cause.CUT_OFF)
STEPS: tuple[Step, ...] = (ROTATE, CONTACT, END, STILL_IN_CONTACT)
