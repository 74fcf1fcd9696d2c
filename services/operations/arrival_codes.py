"""Words of findings and failures of the wait for images. `handlers.views.procedures.words` has a sentence for each."""

from enum import StrEnum, auto


class ArrivalCode(StrEnum):
    """What the check finds."""

    WAIT_EDGE = auto()
    WAIT_NO_EDGE = auto()
    WAIT_NOT_SYNCED = auto()
    WAIT_POSSIBLE = auto()
    WAIT_NO_ACCESS = auto()
    WAIT_NO_NAMESPACE = auto()
    WAIT_RIGHTS_MISSING = auto()
    WAIT_CLIENTS_FULL = auto()


class ArrivalCause(StrEnum):
    """Why images are not at the edge in time. Stored, so a word never changes."""

    IMAGES_LATE = auto()
    IMAGES_UNASKED = auto()
