"""`show` says what a connection state means."""

from typing import Any

from inline_snapshot import snapshot

from handlers.views.connected import Detail, card
from services.model.azure import ConnectedRegistry
from services.policy.placement import Placement
from tests.golden.values import SITE
from tests.unit.watch_views.seen import DAY, HOUR, MONDAY, read


def shown(state: str = "Offline", hours: float = 6, **values: Any) -> list[str]:
    """The card up to its fields, of a nightly one that was last heard of so many hours ago."""
    usual: dict[str, Any] = {
        "mode": "ReadOnly",
        "connection_state": state,
        "activation": "Active",
        "provisioning_state": "Succeeded",
        "token_id": "/t",
        "schedule": "0 3 * * *",
        "window": 3 * HOUR,
        "message_ttl": 2 * DAY,
        "last_sync": MONDAY - hours * HOUR,
    }
    detail = Detail(SITE.acr_ref, ConnectedRegistry("/c", "edge01", **usual | values), Placement())
    lines = read(card(detail, MONDAY)).splitlines()
    return lines[: next(at for at, line in enumerate(lines) if line.startswith("*Mode*"))]


def test_a_planned_silence_is_told_as_one() -> None:
    assert shown()[1:] == snapshot(
        [
            "*Silent as planned*: Its sync window is closed, so no contact is expected. Its last contact was 2026-03-02 06:00 UTC.",
            "Next contact 2026-03-03 03:00 UTC",
        ]
    )


def test_a_missed_contact_is_told_with_what_is_lost() -> None:
    assert shown(hours=31)[1:] == snapshot(
        [
            "*Offline*: A contact was due 2026-03-02 03:00 UTC. The last one was 2026-03-01 05:00 UTC.",
            "Next contact 2026-03-03 03:00 UTC  ·  Undelivered messages expire from 2026-03-03",
        ]
    )


def test_one_that_is_connected_needs_no_more_words() -> None:
    assert shown("Online")[1:] == []


def test_one_that_was_never_activated_is_not_called_lost() -> None:
    assert shown(activation="Inactive", last_sync=None)[1:] == snapshot(
        ["*Inactive*: It was never activated: no edge has used its connection string yet."]
    )
