"""Checks of a rotation: whether the runtime can get the new password, and who else would lose the old one."""

from services.model.azure import resource_name
from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.answers import known
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.extension_steps import CONNECTION_STRING
from services.operations.parents import way_to_parent
from services.operations.registry_checks import CHANGING, at_rest
from services.operations.token_rotation.observation import Observation
from services.operations.token_rotation.request import Code, RotationRequest
from services.operations.token_steps import SLOTS, idle_slot
from services.policy.extensions import DNS_NAME, OWN_CERTIFICATE, SERVICE_ADDRESS, TLS_KEY
from services.policy.sites import CONTINUOUS, Site

_SENT = OWN_CERTIFICATE | {CONNECTION_STRING}
"""Protected settings that the bot can send again."""


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: RotationRequest, observation: Observation) -> Finding:
    """Without an activation no runtime works with the password."""
    finding, registry = at_rest(observation, request.name), observation.registry(request.name)
    if registry is None or finding.level == "blocker":
        return finding
    if not registry.token_id:
        return blocker(Code.MANAGED_IDENTITY)
    way = {"parent": registry.parent, "protocol": request.parent_protocol}
    return finding if registry.activation == "Active" else blocker(Code.NOT_ACTIVATED, **way)


@check("connected.string", title="Connection string can be built")
def string(_site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """It names what the registry syncs from: the cloud registry, or the connected registry above it."""
    registry = observation.registry(request.name)
    if registry is None:
        return None
    if registry.parent or registry.gateway_endpoint:
        return way_to_parent(registry, request.parent_protocol)
    return blocker(Code.GATEWAY_UNKNOWN)


@check("token.found", title="Sync token is its own", essential=True)
def token(_site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """A disabled token was disabled by somebody, perhaps to cut this registry off: no password helps then."""
    required(observation.tokens)
    registry, sync_token = observation.registry(request.name), observation.token(request.name)
    if registry is None or not registry.token_id:
        return None
    name = resource_name(registry.token_id)
    if sync_token is None:
        return blocker(Code.TOKEN_ABSENT, token=name)
    if not sync_token.enabled:
        return blocker(Code.TOKEN_DISABLED, token=name)
    users = tuple(
        other.name
        for other in known(observation.connected, ())
        if other.name != registry.name
        if name in {resource_name(arm_id) for arm_id in (other.token_id, *other.client_token_ids)}
    )
    return blocker(Code.TOKEN_SHARED, token=name, users=users) if users else ok(Code.TOKEN_FOUND, token=name)


@check("token.slots", title="A password of the sync token is idle")
def slots(_site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """Which password is in use can't be read; the newer one is likelier."""
    sync_token = observation.token(request.name)
    if sync_token is None:
        return None
    slot = idle_slot(sync_token)
    if len(sync_token.passwords) < len(SLOTS):
        return ok(Code.SLOT_IDLE, slot=slot)
    created = next((password.created for password in sync_token.passwords if password.name == slot), None)
    return warning(Code.SLOTS_FULL, slot=slot, created=created)


@check("extension.found", title="Extension that works with it", essential=True)
def extension(_site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """Its secrets can only be replaced as a whole, and those that others have put there can't be read."""
    required(observation.extensions)
    registry = observation.registry(request.name)
    if registry is None:
        return None
    own = observation.extension(request.name)
    if own is None:
        return blocker(Code.EXTENSION_ABSENT)
    facts: dict[str, object] = {"extension": own.name, "state": own.provisioning_state}
    if own.provisioning_state in CHANGING:
        return blocker(Code.EXTENSION_BUSY, **facts)
    if own.provisioning_state != "Succeeded":
        return blocker(Code.EXTENSION_FAILED, **facts, parent=registry.parent, protocol=request.parent_protocol)
    others = tuple(key for key in own.secrets if key not in _SENT)
    return blocker(Code.OTHER_SECRETS, keys=others, **facts) if others else ok(Code.EXTENSION_FOUND, **facts)


@check("tls.certificate", title="Certificate of the site's own", essential=True)
def certificate(_site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """One that is among the extension's secrets goes with the new password, or it would be lost."""
    own = observation.extension(request.name)
    if own is None or TLS_KEY not in own.secrets:
        return None
    hosts = (own.settings.get(SERVICE_ADDRESS, ""), own.settings.get(DNS_NAME, ""))
    return observation.certificate_finding(*filter(None, hosts))


@check("cluster.agents", title="Arc agents reach Azure", essential=True)
def agents(_site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """They bring the new secret to the runtime."""
    arc_cluster = required(observation.cluster)
    if arc_cluster is None or observation.extension(request.name) is None:
        return None
    return azure_checks.agents(arc_cluster)


@check("connected.contact", title="Contact proves the new password")
def contact(_site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """The old password ends only after one."""
    registry = observation.registry(request.name)
    if registry is None or registry.activation != "Active":
        return None
    facts = {"state": registry.connection_state, "schedule": registry.schedule, "last_activity": registry.last_activity}
    if registry.schedule != CONTINUOUS:
        return warning(Code.BY_SCHEDULE, **facts)
    if registry.connection_state == "Offline":
        return warning(Code.OFFLINE, **facts)
    return ok(Code.IN_CONTACT, **facts)


@check("azure.actions", title="Bot has the Azure rights that the rotation uses")
def actions(site: Site, request: RotationRequest, observation: Observation) -> Finding | None:
    """By its roles."""
    if observation.registry(request.name) is None:
        return None
    return azure_checks.actions(
        (observation.missing_at_acr, site.acr_ref.name), (observation.missing_at_cluster, site.cluster_ref.name)
    )


CHECKS: tuple[Check[RotationRequest, Observation], ...] = (
    exists,
    string,
    token,
    slots,
    extension,
    certificate,
    agents,
    contact,
    actions,
)
