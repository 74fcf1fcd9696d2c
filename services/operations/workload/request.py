"""What is asked for: a workload of a connected registry, and the names of all that it needs. Pure."""

import contextlib
import re
from dataclasses import dataclass
from ipaddress import IPv6Address

from pydantic import TypeAdapter, ValidationError

from services.model.errors import Invalid
from services.model.kubernetes import WorkloadSpec
from services.operations.workload.manifest import Manifest, parse
from services.operations.workload_removal import Place
from services.policy.sites import Repository, Site, registry_host

WORKLOAD_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
"""A DNS label, short enough for the names that are made of it."""
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAX_REPLICAS, MAX_PORT = 100, 65535

_REPOSITORY: TypeAdapter[str] = TypeAdapter(Repository)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class WorkloadOptions:
    """What somebody asks for. Stored with the operation."""

    image: str = ""
    workload: str | None = None
    namespace: str | None = None
    replicas: int | None = None
    port: int | None = None
    manifest: str = ""
    """In the place of an image; what the other options say goes before what it says."""


@dataclass(frozen=True)
class DeletionOptions:
    """Where the workload is. Stored with the operation."""

    namespace: str = "default"


@dataclass(frozen=True)
class WorkloadRequest:
    """A workload as it is wanted: so many Pods of an image of the connected registry `registry`.

    `reference` is a tag or a digest.
    """

    registry: str
    repository: str
    reference: str
    place: Place
    replicas: int
    port: int | None
    manifest: Manifest | None = None

    @property
    def image(self) -> str:
        """Repository with tag or digest."""
        return f"{self.repository}{'@' if ':' in self.reference else ':'}{self.reference}"

    @property
    def token(self) -> str:
        """Name of the client token and of its scope map."""
        return self.place.token(self.registry)

    @property
    def actions(self) -> tuple[str, ...]:
        """What the client token may do, sorted."""
        return tuple(f"repositories/{self.repository}/{verb}" for verb in ("content/read", "metadata/read"))

    def image_at(self, server: str) -> str:
        """The whole reference at a registry's address."""
        with contextlib.suppress(ValueError):
            server = f"[{IPv6Address(server)}]"
        return f"{server}/{self.image}"

    def spec_at(self, server: str, pull_secret: str) -> WorkloadSpec:
        """The Deployment that pulls from a registry's address by a Secret."""
        manifest = self.manifest
        return WorkloadSpec(
            self.place.namespace,
            self.place.name,
            self.registry,
            self.image_at(server),
            self.replicas,
            self.port,
            pull_secret,
            manifest.digest if manifest else "",
            manifest.pod if manifest else {},
            manifest.labels if manifest else {},
        )


@dataclass(frozen=True)
class DeletionRequest:
    """A workload that is to go."""

    place: Place


def workload_request(_site: Site, registry: str, options: WorkloadOptions) -> WorkloadRequest:
    """The request with a name for the workload, made of the repository's where none was given. Raises `Invalid`."""
    if bool(options.image) == bool(options.manifest):
        raise Invalid("manifest", "", "manifest.both" if options.image else "manifest.none")
    manifest = parse(options.manifest) if options.manifest else None
    repository, reference = split_image(manifest.image if manifest else options.image)
    last = re.sub(r"[._]+", "-", repository.rpartition("/")[2])
    name = options.workload or (manifest.name if manifest else last[:40].rstrip("-"))
    namespace = options.namespace or (manifest.namespace if manifest else None) or "default"
    replicas, port = options.replicas, options.port
    if manifest:
        replicas = manifest.replicas if replicas is None else replicas
        port = manifest.port
    replicas = 1 if replicas is None else replicas
    if not 1 <= replicas <= MAX_REPLICAS:
        raise Invalid("replicas", str(replicas), "number.bounds", {"low": 1, "high": MAX_REPLICAS})
    if port is not None and not 1 <= port <= MAX_PORT:
        raise Invalid("port", str(port), "number.bounds", {"low": 1, "high": MAX_PORT})
    return WorkloadRequest(registry.lower(), repository, reference, _place(namespace, name), replicas, port, manifest)


def deletion_request(_site: Site, name: str, options: DeletionOptions) -> DeletionRequest:
    """Raises `Invalid`."""
    return DeletionRequest(_place(options.namespace, name))


def _place(namespace: str, name: str) -> Place:
    if not WORKLOAD_NAME.fullmatch(name):
        raise Invalid("workload", name, "workload.pattern")
    if not NAMESPACE.fullmatch(namespace):
        raise Invalid("namespace", namespace, "namespace.pattern")
    return Place(namespace, name)


def split_image(image: str) -> tuple[str, str]:
    """Repository, and tag or digest; the tag is `latest` where none is given. Raises `Invalid`."""
    name, at, digest = image.partition("@")
    if registry_host(name):
        raise Invalid("image", image, "image.host")
    repository, colon, tag = name.partition(":")
    reference = digest if at else tag if colon else "latest"
    if at and colon:
        # They say the same thing twice, and not always the same.
        raise Invalid("image", image, "image.both")
    is_clear = (_DIGEST if at else _TAG).fullmatch(reference)
    try:
        _REPOSITORY.validate_python(repository)
    except ValidationError:
        raise Invalid("image", image, "image.pattern") from None
    if not is_clear:
        raise Invalid("image", image, "image.pattern")
    return repository, reference


def workload_names(site: Site, request: WorkloadRequest) -> dict[str, object]:
    """Facts for sentences and command lines."""
    place = request.place
    return {
        **site.names,
        "name": request.registry,
        "image": request.image,
        "repository": request.repository,
        "workload": place.name,
        "namespace": place.namespace,
        "token": request.token,
    }


def deletion_names(site: Site, request: DeletionRequest) -> dict[str, object]:
    """The same for a deletion."""
    return {**site.names, "workload": request.place.name, "namespace": request.place.namespace}
