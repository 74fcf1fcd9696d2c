"""What is asked of a cloud registry, and all words for what is seen and why it fails."""

import re
from dataclasses import dataclass
from enum import StrEnum, auto

from pydantic import TypeAdapter, ValidationError

from services.model.errors import Invalid
from services.operations.sync_settings import valid_repository
from services.policy.sites import REGISTRY_ID, ImageSource, Region, Site

_SOURCE: TypeAdapter[str] = TypeAdapter(ImageSource)
_REGION: TypeAdapter[str] = TypeAdapter(Region)


@dataclass(frozen=True)
class AcrOptions:
    """There is nothing to choose."""


@dataclass(frozen=True)
class AcrCreateOptions:
    """`location` is an Azure region; empty: the site's `acr.create_in`."""

    location: str = ""


@dataclass(frozen=True)
class AcrImportOptions:
    """Images by host, repository and tag, and a digest behind the tag where it has to be this one.

    `repository` is where they go, by default where they come from; `source_registry` the ARM id of a private one.
    """

    images: tuple[str, ...]
    repository: str = ""
    source_registry: str = ""
    wait_for_images: bool = False


@dataclass(frozen=True)
class ImageImport:
    """An image that comes by tag or by digest: the service refuses both (azure-cli#14337).

    `source` has no host where the registry is known by its ARM id. `digest` is what the tag then has to be; empty where
    any will do.
    """

    source: str
    image: str
    digest: str = ""


@dataclass(frozen=True)
class AcrRequest:
    """A site's cloud registry; what one kind alone asks for is empty for the others."""

    name: str
    location: str = ""
    images: tuple[ImageImport, ...] = ()
    source_registry: str = ""
    wait_for_images: bool = False

    @property
    def repositories(self) -> tuple[str, ...]:
        """Those that the images go to, sorted."""
        return tuple(sorted({image.image.rpartition(":")[0] for image in self.images}))


@dataclass(frozen=True)
class AcrReady:
    """Azure shows the registry as connected registries need it; `hosts` are those of its data endpoint."""

    login_server: str
    hosts: tuple[str, ...]


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.cloud_registry` has their sentences."""

    REGISTRY_FOUND = auto()
    REGISTRY_THERE = auto()
    REGISTRY_ABSENT = auto()
    REGISTRY_GONE = auto()
    REGISTRY_BUSY = auto()
    REGISTRY_TO_CREATE = auto()
    REGISTRY_NAME_TAKEN = auto()
    PROVIDER_MISSING = auto()
    TIER_COSTS = auto()
    DATA_ENDPOINT_HOSTS = auto()
    IMAGES_KEPT = auto()
    IMAGE_OTHER = auto()
    STILL_CONNECTED = auto()
    ALL_IS_LOST = auto()
    DELETION_NOT_ALLOWED = auto()


class Cause(StrEnum):
    """Causes of failure that these kinds alone have."""

    CONNECTED_SINCE = auto()
    STILL_BASIC = auto()


def acr_request(_site: Site, name: str, _options: AcrOptions) -> AcrRequest:
    """Of the site's cloud registry as it is."""
    return AcrRequest(name)


def create_request(site: Site, name: str, options: AcrCreateOptions) -> AcrRequest:
    """Raises `Invalid` where nobody says in which region."""
    location = options.location or site.acr.create_in or ""
    if not location:
        raise Invalid("location", "", "location.none", {"site": site.name})
    return AcrRequest(name, location=_valid(_REGION, "location", location))


def import_request(_site: Site, name: str, options: AcrImportOptions) -> AcrRequest:
    """Raises `Invalid` for an image without host or tag, and for several that would get the same tag."""
    if options.source_registry and not re.fullmatch(REGISTRY_ID, options.source_registry, re.IGNORECASE):
        raise Invalid("source_registry", options.source_registry, "source_registry.pattern")
    if options.repository:
        valid_repository(options.repository)
    images = tuple(_import(image, options) for image in dict.fromkeys(options.images))
    targets = [image.image for image in images]
    if target := next((target for target in targets if targets.count(target) > 1), ""):
        raise Invalid("image", target, "image.twice")
    return AcrRequest(
        name, images=images, source_registry=options.source_registry, wait_for_images=options.wait_for_images
    )


def _import(image: str, options: AcrImportOptions) -> ImageImport:
    source = _valid(_SOURCE, "image", image)
    reference, _, digest = source.partition("@")
    place, _, tag = reference.rpartition(":")
    host, _, repository = place.partition("/")
    content = f"{place}@{digest}" if digest else reference
    if options.source_registry:
        content = content.removeprefix(f"{host}/")
    return ImageImport(content, f"{options.repository or repository}:{tag}", digest)


def _valid(kind: TypeAdapter[str], field: str, text: str) -> str:
    """By the rule of the site file, in its words."""
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise Invalid(field, text, "site_file.rule", {"reason": reason}) from None
