"""What a repository holds: its tags in the cloud, and at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.model.errors import DomainError


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

    `code` is `NoPlace` (nobody knows in which cluster it runs), `NoAddress` (it has never been activated), `NoReader`
    (nothing there may read it), `Refused`, `Unreachable` or `Unreadable` (the registry's answer),
    `NoProgram` (nothing there that asks it could run), or `NotAsked` with the `error` that stood in the way; `detail`
    is the text of whoever said so.
    """

    code: str
    detail: str = ""
    error: DomainError | None = None


EdgeContents = Mapping[str, EdgeTag] | EdgeSilence
"""Of one repository: its tags by name, or why they are not known. A repository that the edge lacks has no tags."""


@dataclass(frozen=True)
class EdgeQuestion:
    """What repositories hold at `server`, the address of a connected registry in its cluster.

    `secrets` are the pull secrets of `namespace` that may read them, by repository; `image` has the Python that asks.
    With `tags` those alone are looked at. `account` is the entry of the pull secrets that counts, where that is not
    `server`. With a `key`, which is the same after a crash and of no other question, the answer is taken that a process
    which died has asked for.
    """

    namespace: str
    server: str
    secrets: Mapping[str, str]
    image: str
    tags: tuple[str, ...] = ()
    account: str = ""
    key: str = ""
