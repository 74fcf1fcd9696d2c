"""What the views of watching are shown, and how a message reads."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.kit.message import Message
from services.model.health import Sighting, Target
from services.model.incident import Incident

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACR = "/subscriptions/s/resourcegroups/g/providers/microsoft.containerregistry/registries/contosoacr"
CLUSTER = "/subscriptions/s/resourcegroups/g/providers/microsoft.kubernetes/connectedclusters/berlin"
KEY = f"{ACR}/edge01"


def seen(name: str = "edge01", acr: str = ACR, **values: Any) -> Sighting:
    """One that is continuous, and was heard of an hour ago."""
    usual: dict[str, Any] = {
        "target": Target(acr, name),
        "at": MONDAY,
        "connection_state": "Offline",
        "activation": "Active",
        "schedule": "* * * * *",
        "message_ttl": 2 * DAY,
        "last_sync": MONDAY - HOUR,
        "last_activity": MONDAY - HOUR,
    }
    return Sighting(**usual | values)


def incident(**values: Any) -> Incident:
    """One of a nightly registry."""
    facts: dict[str, object] = {
        "due": MONDAY - 9 * HOUR,
        "last_contact": MONDAY - 30 * HOUR,
        "lost_from": (MONDAY + 18 * HOUR).date(),
        "next_contact": MONDAY + 15 * HOUR,
        "cluster": CLUSTER,
    }
    usual: dict[str, Any] = {
        "id": "al-7k3q9x",
        "kind": "registry",
        "subject": KEY,
        "severity": "critical",
        "opened": MONDAY,
        "state": "offline",
        "reason": "contact.missed",
        "facts": facts,
        "changed": MONDAY,
    }
    return Incident(**usual | values)


def read(message: Message) -> str:
    """The message as lines of text: dates in UTC, buttons with what they say."""
    lines = [] if message.blocks else [message.text]
    lines += [line for block in message.blocks for line in _lines(block)]
    for attachment in message.attachments:
        lines.append(f"--- {attachment['color']}")
        lines += [line for block in attachment["blocks"] for line in _lines(block)]
    return re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", "\n".join(lines)) + "\n"


def _lines(block: Mapping[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "section" if "fields" in block:
            yield from (field["text"].replace("\n", " ") for field in block["fields"])
        case "section":
            yield block["text"]["text"]
        case "context":
            yield "  ·  ".join(each["text"] for each in block["elements"])
        case "actions":
            yield " ".join(f"[{each['text']['text']} = {each['value']}]" for each in block["elements"])
        case "table":
            yield from (" | ".join(cell["text"].replace("\N{EN DASH}", "-") for cell in row) for row in block["rows"])
