"""The SDK's models as our values. Words of enums come in any case from the service (recorded)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from azure.mgmt.containerregistry import models as acr
from azure.mgmt.kubernetesconfiguration.v2023_05_01 import models as arc
from pydantic import TypeAdapter

from services.gateways.azure.sentences import unwrapped
from services.model.azure import (
    ArcCluster,
    ConnectedRegistry,
    Extension,
    ExtensionStatus,
    PasswordSlot,
    Registry,
    ScopeMap,
    StatusDetail,
    SyncResult,
    Token,
)
from services.model.redaction import short


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)
_INFORMATION = "Information"
_DURATION = TypeAdapter(timedelta)
_WORDS = {
    word.lower(): word
    for enum in (
        acr.ProvisioningState,
        acr.ConnectionState,
        acr.ActivationStatus,
        acr.LogLevel,
        acr.SkuName,
        arc.LevelType,
        arc.ProvisioningState,
    )
    for word in (str(member.value) for member in enum)
} | {
    word.lower(): word
    for word in ("ReadOnly", "ReadWrite", "Connected", "Connecting", "Offline", "Expired", "AgentNotInstalled")
}


def word(value: Any) -> str:
    """An enum's word in its documented case; an unknown one as it came, empty for nothing."""
    text = str(getattr(value, "value", value) or "")
    return _WORDS.get(text.lower(), text)


def registry(answer: acr.Registry) -> Registry:
    """A cloud registry."""
    properties = answer.properties or acr.RegistryProperties()
    return Registry(
        id=answer.id or "",
        name=answer.name or "",
        location=answer.location,
        sku=word(answer.sku.name),
        data_endpoint=bool(properties.data_endpoint_enabled),
        login_server=properties.login_server or "",
        provisioning_state=word(properties.provisioning_state),
        data_endpoint_hosts=tuple(properties.data_endpoint_host_names or ()),
        public_network_access=word(properties.public_network_access),
        default_action=word(properties.network_rule_set.default_action) if properties.network_rule_set else "",
        admin_user=bool(properties.admin_user_enabled),
    )


def scope_map(answer: acr.ScopeMap) -> ScopeMap:
    """A scope map."""
    properties = answer.properties
    return ScopeMap(
        id=answer.id or "",
        name=answer.name or "",
        actions=tuple(sorted(action.lower() for action in properties.actions or ())) if properties else (),
        provisioning_state=word(properties.provisioning_state) if properties else "",
        system_defined=bool(properties and (properties.type or "").lower() == "systemdefined"),
    )


def token(answer: acr.Token) -> Token:
    """A token, without the values of its passwords: the service never shows them again."""
    properties = answer.properties or acr.TokenProperties()
    passwords = properties.credentials.passwords if properties.credentials else None
    return Token(
        id=answer.id or "",
        name=answer.name or "",
        scope_map_id=properties.scope_map_id or "",
        enabled=word(properties.status).lower() == "enabled",
        passwords=tuple(
            PasswordSlot(word(password.name), created=_utc(password.creation_time), expires=_utc(password.expiry))
            for password in passwords or ()
        ),
        provisioning_state=word(properties.provisioning_state),
    )


def connected_registry(answer: Mapping[str, Any]) -> ConnectedRegistry:
    """A connected registry, from the JSON body or from the SDK's model, which is a mapping with the same names.

    Thousands are listed each minute: reading the models' attributes takes thirty times as long.
    """
    properties = answer.get("properties")
    if properties is None:
        raise ValueError("a connected registry without properties")
    parent = properties.get("parent")
    if parent is None or parent.get("syncProperties") is None:
        raise ValueError("a connected registry without a parent")
    sync, logging = parent["syncProperties"], properties.get("logging") or {}
    collection = properties.get("garbageCollection") or {}
    return ConnectedRegistry(
        id=answer.get("id") or "",
        name=answer.get("name") or "",
        mode=word(properties.get("mode")),
        connection_state=word(properties.get("connectionState")),
        activation=word((properties.get("activation") or {}).get("status")),
        provisioning_state=word(properties.get("provisioningState")),
        token_id=sync.get("tokenId") or "",
        schedule=sync.get("schedule") or "",
        window=_duration(sync.get("syncWindow")),
        message_ttl=_duration(sync.get("messageTtl")),
        parent=last_segment(parent.get("id") or ""),
        gateway_endpoint=sync.get("gatewayEndpoint") or "",
        login_server=(properties.get("loginServer") or {}).get("host") or "",
        version=properties.get("version") or "",
        last_sync=_moment(sync.get("lastSyncTime")),
        last_activity=_moment(properties.get("lastActivityTime")),
        client_token_ids=tuple(properties.get("clientTokenIds") or ()),
        status_details=tuple(_status_detail(detail) for detail in properties.get("statusDetails") or ()),
        log_level=word(logging.get("logLevel")),
        audit_logs=_is_enabled(logging.get("auditLogStatus")),
        notifications=tuple(properties.get("notificationsList") or ()),
        gc_enabled=collection.get("enabled"),
        gc_schedule=collection.get("schedule") or "",
        sync_result=_sync_result(properties.get("registrySyncResult")),
    )


def _is_enabled(status: object) -> bool | None:
    return None if status is None else word(status).casefold() == "enabled"


def extension(answer: arc.Extension) -> Extension:
    """An Arc extension. Its version is the installed one where the service names it, else the pinned one."""
    scope = answer.scope.cluster if answer.scope else None
    changed = answer.system_data.last_modified_at if answer.system_data else None
    return Extension(
        id=answer.id or "",
        name=answer.name or "",
        type=(answer.extension_type or "").lower(),
        provisioning_state=word(answer.provisioning_state),
        settings={key: str(value) for key, value in (answer.configuration_settings or {}).items()},
        release_namespace=(scope.release_namespace or "") if scope else "",
        release_train=answer.release_train or "",
        version=answer.current_version or answer.version or "",
        problems=tuple(_problems(answer)),
        information=tuple(status for status in _statuses(answer) if status.level == _INFORMATION),
        auto_upgrade=answer.auto_upgrade_minor_version,
        modified=_utc(changed),
        secrets=tuple(sorted(answer.configuration_protected_settings or ())),
    )


def arc_cluster(answer: Mapping[str, Any]) -> ArcCluster:
    """A connected cluster, from the JSON body: its SDK is not installed."""
    properties = answer.get("properties") or {}
    heartbeat = properties.get("lastConnectivityTime")
    expiry = properties.get("managedIdentityCertificateExpirationTime")
    nodes = properties.get("totalNodeCount")
    return ArcCluster(
        id=str(answer.get("id") or ""),
        name=str(answer.get("name") or ""),
        location=str(answer.get("location") or ""),
        connectivity=word(properties.get("connectivityStatus")),
        last_heartbeat=_moment(heartbeat),
        kubernetes_version=str(properties.get("kubernetesVersion") or ""),
        distribution=str(properties.get("distribution") or ""),
        agent_version=str(properties.get("agentVersion") or ""),
        node_count=nodes if isinstance(nodes, int) else None,
        certificate_expires=_moment(expiry),
    )


def named(value: T, name: str) -> T:
    """The value itself. Raises `ValueError` when it bears another name: an answer about something else is no answer."""
    if value.name.lower() != name.lower():
        raise ValueError("an answer about something else")
    return value


def last_segment(arm_id: str) -> str:
    """The name at the end of an ARM id."""
    return arm_id.rstrip("/").rpartition("/")[2]


def _problems(answer: arc.Extension) -> Iterable[ExtensionStatus]:
    error: Any = answer.error_info
    # Older answers hold an object of nulls on success.
    for cause in (error, *(error.details or ())) if error else ():
        if cause.code or cause.message:
            yield ExtensionStatus(cause.code or "", short(unwrapped(cause.message or "")))
    yield from (status for status in _statuses(answer) if status.level != _INFORMATION)


def _statuses(answer: arc.Extension) -> Iterable[ExtensionStatus]:
    for status in answer.statuses or ():
        level = word(status.level) or _INFORMATION
        message = unwrapped(status.message or status.display_status or "")
        yield ExtensionStatus(status.code or "", short(message), level)


def _status_detail(answer: Mapping[str, Any]) -> StatusDetail:
    return StatusDetail(
        type=answer.get("type") or "",
        code=answer.get("code") or "",
        description=short(answer.get("description") or ""),
        at=_moment(answer.get("timestamp")),
        correlation_id=answer.get("correlationId") or "",
        available_gib=_number(answer.get("availableGib")),
        total_gib=_number(answer.get("totalGib")),
    )


def _sync_result(answer: object) -> SyncResult | None:
    """From JSON: the models of the SDK do not have it, and keep what they do not know."""
    if not isinstance(answer, Mapping) or not answer.get("syncState"):
        return None
    trigger, succeeded = str(answer.get("syncTrigger") or ""), _moment(answer.get("lastSuccessfulSyncEndTime"))
    return SyncResult(trigger, str(answer["syncState"]), succeeded)


def _moment(value: object) -> datetime | None:
    return _utc(datetime.fromisoformat(value)) if isinstance(value, str) and value else None


def _duration(value: object) -> timedelta | None:
    """Of ISO 8601."""
    return _DURATION.validate_python(value) if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
