"""The SDK's models as our values, with what the service is known to send."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.mgmt.containerregistry import models as acr
from azure.mgmt.kubernetesconfiguration.v2023_05_01 import models as arc

from services.gateways.azure import reading
from services.model.azure import ExtensionStatus, StatusDetail, SyncResult

R = "/subscriptions/s/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr"


def connected(**properties: object) -> acr.ConnectedRegistry:
    parent = {"syncProperties": {"tokenId": f"{R}/tokens/edge01", "schedule": "* * * * *", "messageTtl": "P2D"}}
    body = {"mode": "readonly", "parent": parent} | properties
    return acr.ConnectedRegistry({"id": f"{R}/connectedRegistries/edge01", "name": "edge01", "properties": body})


def extension(**properties: object) -> arc.Extension:
    found: arc.Extension = arc.Extension.deserialize({"id": "x", "name": "edge01", "properties": properties})
    return found


@pytest.mark.parametrize(
    ("sent", "documented"),
    [("readonly", "ReadOnly"), ("OFFLINE", "Offline"), ("succeeded", "Succeeded"), ("Novel", "Novel"), (None, "")],
)
def test_a_word_is_read_in_its_documented_case(sent: str | None, documented: str) -> None:
    assert reading.word(sent) == documented


def test_a_connected_registry_that_was_never_deployed_has_empty_edges() -> None:
    found = reading.connected_registry(connected(loginServer={"tls": {"certificate": {}}}))
    assert (found.mode, found.parent, found.login_server, found.version) == ("ReadOnly", "", "", "")
    assert (found.last_sync, found.last_activity, found.window, found.gc_enabled) == (None, None, None, None)
    assert found.message_ttl == timedelta(days=2)


def test_the_parent_is_named_by_the_end_of_its_id() -> None:
    parent = {"id": f"{R}/connectedregistries/site00/", "syncProperties": {"tokenId": "t", "messageTtl": "P1D"}}
    assert reading.connected_registry(connected(parent=parent)).parent == "site00"


def test_complaints_of_the_runtime_are_kept_in_utc() -> None:
    detail = {
        "type": "Disk",
        "code": "DiskError",
        "description": "The disk is full.",
        "timestamp": "2026-11-24T12:00:00+01:00",
        "correlationId": "c-1",
    }
    found = reading.connected_registry(connected(statusDetails=[detail]))
    at = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    assert found.status_details == (StatusDetail("Disk", "DiskError", "The disk is full.", at, "c-1"),)


def test_the_newest_sync_and_the_room_on_the_disk_are_read_where_the_service_shows_them() -> None:
    result = {
        "syncTrigger": "InitialSync",
        "syncState": "TimedOut",
        "lastSuccessfulSyncEndTime": "2026-11-24T12:00:00Z",
    }
    full = {"type": "Disk", "code": "DiskError", "availableGib": 0.5, "totalGib": 250}
    registry = reading.connected_registry(connected(registrySyncResult=result, statusDetails=[full]))
    older = reading.connected_registry(connected(statusDetails=[{"type": "Disk", "code": "DiskError"}]))

    succeeded = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert registry.sync_result == SyncResult("InitialSync", "TimedOut", succeeded)
    assert (registry.status_details[0].available_gib, registry.status_details[0].total_gib) == (0.5, 250)
    assert (older.sync_result, older.status_details[0].total_gib) == (None, None)


def test_a_connected_registry_without_properties_is_no_answer() -> None:
    with pytest.raises(ValueError, match="without"):
        reading.connected_registry(acr.ConnectedRegistry({"name": "edge01"}))


def test_actions_of_a_scope_map_are_sorted_and_in_lower_case() -> None:
    properties = {"actions": ["repositories/Hello/metadata/read", "gateway/Edge01/config/read"]}
    found = reading.scope_map(acr.ScopeMap({"name": "edge01", "properties": properties}))
    assert found.actions == ("gateway/edge01/config/read", "repositories/hello/metadata/read")


def test_a_disabled_token_with_an_expiring_password_is_read() -> None:
    passwords = [{"name": "password1", "creationTime": "2026-01-01T00:00:00Z", "expiry": "2026-02-01T00:00:00Z"}]
    properties = {"scopeMapId": f"{R}/scopeMaps/edge01", "status": "Disabled", "credentials": {"passwords": passwords}}
    found = reading.token(acr.Token({"name": "edge01", "properties": properties}))
    assert not found.enabled
    assert found.passwords[0].expires == datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("nothing", [None, {"code": None, "message": None}])
def test_an_extension_that_works_has_no_problems(nothing: object) -> None:
    assert reading.extension(extension(errorInfo=nothing, statuses=[])).problems == ()


def test_problems_are_the_error_its_details_and_statuses_that_are_not_just_information() -> None:
    info = {"code": "A", "message": "a", "details": [{"code": "B", "message": "b"}]}
    statuses = [{"code": "C", "level": "error", "message": "c"}, {"code": "D", "level": "Information"}, {"code": "E"}]
    found = reading.extension(extension(errorInfo=info, statuses=statuses))
    assert found.problems == (ExtensionStatus("A", "a"), ExtensionStatus("B", "b"), ExtensionStatus("C", "c", "Error"))


def test_the_installed_version_comes_before_the_pinned_one() -> None:
    assert reading.extension(extension(version="1.0", currentVersion="1.4")).version == "1.4"
    assert reading.extension(extension(version="1.0")).version == "1.0"


def test_a_cluster_that_never_connected_has_no_heartbeat() -> None:
    found = reading.arc_cluster({"name": "berlin-arc", "properties": {"connectivityStatus": "connecting"}})
    assert (found.connectivity, found.last_heartbeat) == ("Connecting", None)
