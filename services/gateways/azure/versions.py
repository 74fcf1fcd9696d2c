"""Which api-version a request bears: of those that the code is tested with, the newest that this cloud offers.

ARM's provider document lists the versions of each resource type. Clouds differ for months: China and US Government
get new versions late (azure-cli#30847), and the public cloud lists `connectedRegistries` with previews alone (2026-09).
Between the versions in `TESTED` the shapes that are read and written here do not differ, and what newer ones add is
ignored. `authType`, new in 2026-09-01-preview, follows from the token id where it is not sent
(ConnectedRegistry.models.tsp).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from services.gateways.azure.translation import SERVICE
from services.model.errors import DomainError, VersionNotOffered

FRESH, DOUBTFUL = 6 * 3600.0, 60.0
"""Seconds for which a provider document counts, and for which it is done without after it could not be read."""

_STABLE = ("2025-11-01", "2025-04-01", "2023-07-01", "2022-12-01")
_CONNECTED = (
    "2026-09-01-preview",
    "2026-03-01-preview",
    "2026-01-01-preview",
    "2025-12-01-preview",
    "2025-11-01",
    "2025-09-01-preview",
    "2024-11-01-preview",
)
TESTED: Mapping[str, tuple[str, ...]] = {
    "microsoft.containerregistry/checknameavailability": _STABLE,
    "microsoft.containerregistry/registries": _STABLE,
    "microsoft.containerregistry/registries/scopemaps": _STABLE,
    "microsoft.containerregistry/registries/tokens": _STABLE,
    "microsoft.containerregistry/registries/generatecredentials": _STABLE,
    "microsoft.containerregistry/registries/importimage": _STABLE,
    "microsoft.containerregistry/registries/connectedregistries": _CONNECTED,
    "microsoft.containerregistry/registries/connectedregistries/deactivate": _CONNECTED,
    "microsoft.containerregistry/registries/connectedregistries/resync": _CONNECTED[:3],
    "microsoft.kubernetes/connectedclusters": ("2024-01-01", "2021-10-01"),
    "microsoft.kubernetesconfiguration/extensions": ("2023-05-01", "2022-11-01", "2022-07-01", "2022-03-01"),
}
"""By resource type in lower case, newest first."""

_log = structlog.get_logger("azure")


def resource_type(path: str) -> str:
    """The type in `TESTED` that answers to a path, in lower case; empty for a path of Resource Manager itself.

    An extension hangs below another provider's resource, so the last provider counts. A word behind the last name is an
    action or a list: it counts where it is a type of its own.
    """
    _, separator, suffix = path.lower().rpartition("/providers/")
    namespace, *segments = suffix.strip("/").split("/")
    if not separator or not segments:
        return ""
    kinds = segments[::2]
    while kinds:
        name = "/".join([namespace, *kinds])
        if name in TESTED:
            return name
        kinds.pop()
    return ""


Fetch = Callable[[str, str], Awaitable[Any]]
"""Reads the document of a subscription's provider (namespace)."""


class Versions:
    """The choice for each subscription and resource type. `pinned` outweighs what the cloud lists.

    Documents are read when first needed and again after hours. One that can't be read is done without: the newest
    tested version is tried, and a refusal that lists others corrects the choice. `now` is monotonic, in seconds.
    """

    def __init__(self, now: Callable[[], float], pinned: Mapping[str, str]) -> None:
        self._now = now
        self._pinned = {name.lower(): version for name, version in pinned.items()}
        self._offered: dict[tuple[str, str], tuple[str, ...]] = {}
        self._until: dict[tuple[str, str], float] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, subscription: str, kind: str, fetch: Fetch) -> str:
        """The api-version for a resource type. Raises `VersionNotOffered` when no tested one is offered."""
        if pinned := self._pinned.get(kind):
            return pinned
        namespace = kind.partition("/")[0]
        key = subscription, namespace
        if self._until.get(key, 0) <= self._now():
            async with self._locks[subscription]:
                if self._until.get(key, 0) <= self._now():
                    await self._read(key, fetch)
        return self._choose(subscription, kind)

    @asynccontextmanager
    async def reading(self, subscription: str) -> AsyncIterator[None]:
        """While a list of all providers is read: questions that need a version wait for it, and read nothing more."""
        async with self._locks[subscription.lower()]:
            yield

    def note(self, subscription: str, document: Mapping[str, Any]) -> None:
        """Take the versions from one provider's document."""
        namespace = str(document.get("namespace") or "").lower()
        for entry in _mappings(document.get("resourceTypes")):
            listed = entry.get("apiVersions")
            versions = tuple(str(version) for version in listed) if isinstance(listed, list) else ()
            kind = f"{namespace}/{str(entry.get('resourceType') or '').lower()}"
            if versions and kind in TESTED:
                self._offered[subscription.lower(), kind] = versions
        self._until[subscription.lower(), namespace] = self._now() + FRESH

    def correct(self, subscription: str, kind: str, refused: str, offered: tuple[str, ...]) -> bool:
        """Learn from a refusal which versions there are; whether another one is worth a try."""
        if kind in self._pinned or not offered:
            return False
        self._offered[subscription, kind] = tuple(version for version in offered if version != refused)
        return any(version in self._offered[subscription, kind] for version in TESTED[kind])

    async def _read(self, key: tuple[str, str], fetch: Fetch) -> None:
        subscription, namespace = key
        try:
            document = await fetch(subscription, namespace)
        except DomainError as error:
            # Custom roles may lack the right to it, which is no reason to do nothing.
            _log.info("versions_unknown", namespace=namespace, error=type(error).__name__)
            document = None
        if isinstance(document, dict):
            self.note(subscription, {**document, "namespace": namespace})
        else:
            self._until[key] = self._now() + DOUBTFUL

    def _choose(self, subscription: str, kind: str) -> str:
        """The newest tested version that the subscription offers."""
        offered = self._offered.get((subscription, kind))
        if offered is None and kind.count("/") > 1:
            # Some actions are not listed; they have the versions of what they act on.
            offered = self._offered.get((subscription, kind.rpartition("/")[0]))
        if offered is None:
            return TESTED[kind][0]
        for version in TESTED[kind]:
            if version in offered:
                return version
        raise VersionNotOffered(SERVICE, kind, resource_type=kind, offered=offered)


def _mappings(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
