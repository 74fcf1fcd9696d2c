"""Small generated images with real digests: OCI index, manifests, configs and layers of one file each."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PLATFORMS = ("amd64", "arm64")


def digest_of(content: bytes) -> str:
    """The registry's name for this content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, as bytes, because its digest is of these bytes."""

    content: bytes
    media_type: str
    architecture: str | None = None

    @property
    def digest(self) -> str:
        """Computed on each call; stores keep it as their key."""
        return digest_of(self.content)

    def references(self) -> Iterator[str]:
        """Digests of the manifests and blobs that it names."""
        document = json.loads(self.content)
        for entry in (*document.get("manifests", ()), *document.get("layers", ())):
            yield entry["digest"]
        if "config" in document:
            yield document["config"]["digest"]

    def children(self) -> list[str]:
        """Digests of the manifests under an index."""
        return [entry["digest"] for entry in json.loads(self.content).get("manifests", ())]


@dataclass(frozen=True)
class Image:
    """An image: its top manifest or index, the manifests below it, and its blobs."""

    top: Manifest
    manifests: tuple[Manifest, ...]
    blobs: tuple[bytes, ...]


@cache
def sample_image(reference: str, architectures: tuple[str, ...] = PLATFORMS) -> Image:
    """The image that a reference such as `hello-world:latest` stands for; the same reference gives the same digests."""
    parts = [_single(reference, architecture) for architecture in architectures]
    entries = [
        {**_descriptor(manifest.content, MANIFEST), "platform": {"os": "linux", "architecture": manifest.architecture}}
        for manifest, _ in parts
    ]
    index = Manifest(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}), INDEX)
    return Image(index, tuple(manifest for manifest, _ in parts), tuple(blob for _, blobs in parts for blob in blobs))


def _single(reference: str, architecture: str) -> tuple[Manifest, tuple[bytes, bytes]]:
    content = f"{reference} for linux/{architecture}\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("hello")
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    tar = buffer.getvalue()
    layer = gzip.compress(tar, mtime=0)
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/hello"], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar)]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(config, CONFIG),
        "layers": [_descriptor(layer, LAYER)],
    }
    return Manifest(_json(manifest), MANIFEST, architecture), (config, layer)


def _descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


@dataclass
class Repository:
    """One repository: manifests by digest, tags, and when each came and changed."""

    name: str
    created: datetime
    manifests: dict[str, Manifest] = field(default_factory=dict)
    manifest_times: dict[str, datetime] = field(default_factory=dict)
    uploaded: set[str] = field(default_factory=set)
    """Digests of blobs that were pushed here, whether a manifest names them or not."""
    tags: dict[str, str] = field(default_factory=dict)
    tag_times: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def find(self, reference: str) -> tuple[str, Manifest] | None:
        """Digest and manifest of a tag or digest."""
        digest = reference if reference.startswith("sha256:") else self.tags.get(reference, "")
        manifest = self.manifests.get(digest)
        return (digest, manifest) if manifest else None

    def refers_to(self, digest: str) -> bool:
        """Whether this blob was pushed here or one of its manifests names it; no other blob can be fetched here."""
        return digest in self.uploaded or any(digest in manifest.references() for manifest in self.manifests.values())

    def tag(self, tag: str, digest: str, now: datetime) -> None:
        """Point a tag at a manifest, moving it when it pointed elsewhere."""
        created = self.tag_times.get(tag, (now, now))[0]
        self.tags[tag], self.tag_times[tag] = digest, (created, now)

    def drop_manifest(self, digest: str) -> None:
        """Remove a manifest and its tags."""
        self.manifests.pop(digest, None)
        self.manifest_times.pop(digest, None)
        for tag in [tag for tag, at in self.tags.items() if at == digest]:
            self.drop_tag(tag)

    def drop_tag(self, tag: str) -> None:
        """Remove a tag; its manifest stays."""
        self.tags.pop(tag, None)
        self.tag_times.pop(tag, None)


@dataclass
class ImageStore:
    """The images of one registry."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def repository(self, name: str, now: datetime) -> Repository:
        """The repository of that name, created if absent."""
        return self.repositories.setdefault(name, Repository(name, now))

    def find(self, repository: str, reference: str) -> tuple[str, Manifest] | None:
        """Digest and manifest, or None when either repository or reference is unknown."""
        stored = self.repositories.get(repository)
        return stored.find(reference) if stored else None

    def put(self, repository: str, tag: str | None, image: Image, now: datetime) -> str:
        """Store a whole image, tagged or not; its digest."""
        target = self.repository(repository, now)
        for manifest in (*image.manifests, image.top):
            target.manifests.setdefault(manifest.digest, manifest)
            target.manifest_times.setdefault(manifest.digest, now)
        for blob in image.blobs:
            self.blobs.setdefault(digest_of(blob), blob)
        digest = image.top.digest
        if tag:
            target.tag(tag, digest, now)
        return digest

    def image(self, repository: str, reference: str) -> Image | None:
        """A stored image with everything it refers to, to be copied elsewhere."""
        entry = self.find(repository, reference)
        if entry is None:
            return None
        top = entry[1]
        manifests = self.repositories[repository].manifests
        children = tuple(manifests[digest] for digest in top.children() if digest in manifests)
        digests = {digest for manifest in (top, *children) for digest in manifest.references()}
        return Image(top, children, tuple(self.blobs[digest] for digest in digests if digest in self.blobs))


def split_reference(reference: str) -> tuple[str, str]:
    """Repository and tag or digest of `repo`, `repo:tag` or `repo@sha256:...`; the tag is `latest` when left out."""
    if "@" in reference:
        repository, _, digest = reference.partition("@")
        return repository, digest
    repository, colon, tag = reference.rpartition(":")
    return (repository, tag) if colon else (reference, "latest")
