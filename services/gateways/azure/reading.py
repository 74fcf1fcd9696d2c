"""The SDK's models as our values. Words of enums come in any case from the service (recorded)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from azure.mgmt.containerregistry import models as acr
from azure.mgmt.kubernetesconfiguration.v2023_05_01 import models as arc

from services.model.azure import (
    ArcCluster,
    ConnectedRegistry,
    Extension,
    ExtensionStatus,
    PasswordSlot,
    Registry,
    ScopeMap,
    StatusDetail,
    Token,
)
from services.model.redaction import short


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)
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
} | {word.lower(): word for word in ("ReadOnly", "ReadWrite", "Connected", "Connecting", "Offline", "Expired")}


def word(value: Any) -> str:
    """An enum's word in its documented case; an unknown one as it came, empty for nothing."""
    text = str(getattr(value, "value", value) or "")
    return _WORDS.get(text.lower(), text)


def registry(found: acr.Registry) -> Registry:
    """A cloud registry."""
    properties = found.properties or acr.RegistryProperties()
    return Registry(
        id=found.id or "",
        name=found.name or "",
        location=found.location,
        sku=word(found.sku.name),
        data_endpoint=bool(properties.data_endpoint_enabled),
        login_server=properties.login_server or "",
        provisioning_state=word(properties.provisioning_state),
        data_endpoint_hosts=tuple(properties.data_endpoint_host_names or ()),
    )


def scope_map(found: acr.ScopeMap) -> ScopeMap:
    """A scope map."""
    properties = found.properties
    return ScopeMap(
        id=found.id or "",
        name=found.name or "",
        actions=tuple(sorted(action.lower() for action in properties.actions or ())) if properties else (),
        provisioning_state=word(properties.provisioning_state) if properties else "",
    )


def token(found: acr.Token) -> Token:
    """A token, without the values of its passwords: the service never tells them again."""
    properties = found.properties or acr.TokenProperties()
    passwords = properties.credentials.passwords if properties.credentials else None
    return Token(
        id=found.id or "",
        name=found.name or "",
        scope_map_id=properties.scope_map_id or "",
        enabled=word(properties.status).lower() == "enabled",
        passwords=tuple(
            PasswordSlot(word(each.name), created=_utc(each.creation_time), expires=_utc(each.expiry))
            for each in passwords or ()
        ),
        provisioning_state=word(properties.provisioning_state),
    )


def connected_registry(found: acr.ConnectedRegistry) -> ConnectedRegistry:
    """A connected registry."""
    properties = found.properties
    if properties is None:
        raise ValueError("a connected registry without properties")
    parent = properties.parent
    if parent is None or parent.sync_properties is None:
        raise ValueError("a connected registry without a parent")
    sync = parent.sync_properties
    server = properties.login_server
    return ConnectedRegistry(
        id=found.id or "",
        name=found.name or "",
        mode=word(properties.mode),
        connection_state=word(properties.connection_state),
        activation=word(properties.activation.status) if properties.activation else "",
        provisioning_state=word(properties.provisioning_state),
        token_id=sync.token_id or "",
        schedule=sync.schedule or "",
        window=sync.sync_window,
        message_ttl=sync.message_ttl,
        parent=last_segment(parent.id or ""),
        gateway_endpoint=sync.gateway_endpoint or "",
        login_server=(server.host or "") if server else "",
        version=properties.version or "",
        last_sync=_utc(sync.last_sync_time),
        last_activity=_utc(properties.last_activity_time),
        client_token_ids=tuple(properties.client_token_ids or ()),
        status_details=tuple(_detail(each) for each in properties.status_details or ()),
        log_level=word(properties.logging.log_level) if properties.logging else "",
    )


def extension(found: arc.Extension) -> Extension:
    """An Arc extension. Its version is the installed one where the service names it, else the pinned one."""
    scope = found.scope.cluster if found.scope else None
    changed = found.system_data.last_modified_at if found.system_data else None
    return Extension(
        id=found.id or "",
        name=found.name or "",
        type=(found.extension_type or "").lower(),
        provisioning_state=word(found.provisioning_state),
        settings={key: str(value) for key, value in (found.configuration_settings or {}).items()},
        release_namespace=(scope.release_namespace or "") if scope else "",
        release_train=found.release_train or "",
        version=found.current_version or found.version or "",
        problems=tuple(_problems(found)),
        modified=_utc(changed),
    )


def arc_cluster(found: Mapping[str, Any]) -> ArcCluster:
    """A connected cluster, of the JSON body: no SDK of it is installed."""
    properties = found.get("properties") or {}
    heartbeat = properties.get("lastConnectivityTime")
    return ArcCluster(
        id=str(found.get("id") or ""),
        name=str(found.get("name") or ""),
        location=str(found.get("location") or ""),
        connectivity=word(properties.get("connectivityStatus")),
        last_heartbeat=_utc(datetime.fromisoformat(heartbeat)) if heartbeat else None,
        kubernetes_version=str(properties.get("kubernetesVersion") or ""),
        distribution=str(properties.get("distribution") or ""),
    )


def named(value: T, name: str) -> T:
    """The value, when it bears the name that was asked for; an answer about something else is no answer."""
    if value.name.lower() != name.lower():
        raise ValueError("an answer about something else")
    return value


def last_segment(arm_id: str) -> str:
    """The name at the end of an ARM id."""
    return arm_id.rstrip("/").rpartition("/")[2]


def _problems(found: arc.Extension) -> Iterable[ExtensionStatus]:
    error: Any = found.error_info
    # Older answers hold an object of nulls on success.
    for each in (error, *(error.details or ())) if error else ():
        if each.code or each.message:
            yield ExtensionStatus(each.code or "", short(each.message or ""))
    for status in found.statuses or ():
        level = word(status.level) or "Information"
        if level != "Information":
            yield ExtensionStatus(status.code or "", short(status.message or status.display_status or ""), level)


def _detail(found: acr.StatusDetailProperties) -> StatusDetail:
    return StatusDetail(
        type=found.type or "",
        code=found.code or "",
        description=short(found.description or ""),
        at=_utc(found.timestamp),
        correlation_id=found.correlation_id or "",
    )


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
