"""The steps of a rotation. The new password lives inside one of them, as `extension_steps` says."""

from datetime import timedelta

from services.model.azure import Pending
from services.model.errors import Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line, lines
from services.operations.extension_steps import (
    PROTECTED,
    SLOT,
    change_extension,
    extension_options,
    new_protected_settings,
    protected_lines,
)
from services.operations.passwords import ending_line
from services.operations.step import Done, Going, Progress, Scene, Step, follow, followed
from services.operations.token_rotation.request import Cause, InContact
from services.operations.token_steps import idle_slot
from services.policy.sites import Site

NO_CONTACT_AFTER = timedelta(minutes=20)
"""A new password takes up to a minute to be known everywhere (Learn: repository-scoped tokens), a crash loop pauses for
five; an edge that syncs all the time is in contact each minute."""
NEVER = "never"
"""In the place of the last contact of a registry that has had none."""


async def _send(scene: Scene) -> Pending:
    """Mint and hand on, with nothing stored between."""
    async with new_protected_settings(scene) as protected:
        return await scene.azure.extensions.update(scene.site.cluster_ref, scene.params["name"], protected=protected)


def _rotation_line(site: Site, operation: Operation, planned: PlannedStep) -> str:
    options = extension_options(site, planned.params["name"])
    update = command_line("az k8s-extension update", **options, config_protected_file=PROTECTED, yes=True)
    return lines((*protected_lines(site, operation, planned), update))


def rotate(kind: str) -> Step:
    """A step that makes a new password in the idle slot, and replaces the extension's secret by it."""
    return change_extension(
        kind,
        _send,
        _rotation_line,
        cause=Cause.UPDATE_FAILED,
        writes=lambda site, planned: f"{site.acr_ref.id}/tokens/{planned.params['token']}",
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
        return ending_line(site, str(planned.params["token"]), str(planned.params["slot"]))

    return Step(kind, begin, line, wait=follow, interval=2, shifting=SLOT)


ROTATE = rotate("token.rotate")
CONTACT = see_contact("token.contact", Cause.NO_CONTACT)
END = end_password("token.end")
STILL_IN_CONTACT = see_contact("token.still_in_contact", Cause.CUT_OFF)
STEPS: tuple[Step, ...] = (ROTATE, CONTACT, END, STILL_IN_CONTACT)
