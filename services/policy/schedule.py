"""When a connected registry is in contact next, by its schedule. Pure."""

from datetime import datetime

from services.model.azure import ConnectedRegistry
from services.model.errors import Invalid
from services.policy import cron


def next_contact(registry: ConnectedRegistry) -> datetime | None:
    """The first firing of its schedule after its last contact; None where it never had one.

    That is in the future as long as the registry keeps to its schedule.
    """
    contacts = [moment for moment in (registry.last_sync, registry.last_activity) if moment]
    if not contacts:
        return None
    try:
        return cron.parse(registry.schedule).next(max(contacts), 1)[0]
    except (Invalid, IndexError):
        return None
