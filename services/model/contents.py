"""What a repository holds: its tags in the cloud, and at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class CloudTag:
    """A tag of the cloud registry. `changed` is when it was last pointed at a manifest, None where that is unknown."""

    digest: str
    changed: datetime | None = None


@dataclass(frozen=True)
class EdgeTag:
    """A tag of a connected registry. `missing` are manifests that its index names and the edge does not have."""

    digest: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class EdgeSilence:
    """The edge gave no answer about a repository.

    `code` is `NoReader` (nothing there may read it), `Refused`, `Unreachable` or `Unreadable`; `detail` is the text of
    whoever said so.
    """

    code: str
    detail: str = ""


EdgeContents = Mapping[str, EdgeTag] | EdgeSilence
"""Of one repository: its tags by name, or why they are not known. A repository that the edge lacks has no tags."""
