"""Words of the steps that several kinds of operation have (`services.operations.registry_steps`)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handlers.kit.text import duration


def connected_settings(params: Mapping[str, Any]) -> str:
    """With which settings a connected registry is created; garbage collection where it is not as by default."""
    window = params["window"]
    collection = ""
    if "gc_enabled" in params:
        collection = f"garbage collection {params['gc_schedule']}" if params["gc_enabled"] else "no garbage collection"
    parts = (
        str(params["mode"]),
        f"schedule {params['schedule']}",
        f"window {duration(window)}" if isinstance(window, timedelta) else "",
        f"below {params['parent']}" if params.get("parent") else "",
        collection,
    )
    return ", ".join(filter(None, parts))
