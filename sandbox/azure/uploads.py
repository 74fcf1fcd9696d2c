"""Pushing to a registry: uploads of blobs, and manifests, by the OCI distribution specification."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.azure.cloud import Registry
from sandbox.azure.dataerrors import DataError
from sandbox.azure.images import Manifest, Repository, digest_of


@dataclass
class Upload:
    """A blob that is being sent."""

    repository: str
    content: bytearray = field(default_factory=bytearray)


class Uploads:
    """The uploads of all registries that are not finished, by id."""

    def __init__(self) -> None:
        self._uploads: dict[str, Upload] = {}

    async def serve(self, request: web.Request, registry: Registry, repository: Repository, name: str) -> web.Response:
        """One request of an upload; `name` is its id, empty for a new one. Raises `DataError`."""
        if request.method == "POST":
            return await self._begin(request, registry, repository)
        upload = self._uploads.get(name)
        if upload is None or upload.repository != repository.name:
            raise DataError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if request.method == "DELETE":
            del self._uploads[name]
            return web.Response(status=204)
        if request.method == "GET":
            return web.Response(status=204, headers=_place(upload, name))
        upload.content += await request.read()
        if request.method == "PATCH":
            return web.Response(status=202, headers=_place(upload, name))
        response = _store(registry, repository, bytes(upload.content), request.query.get("digest", ""))
        del self._uploads[name]
        return response

    async def _begin(self, request: web.Request, registry: Registry, repository: Repository) -> web.Response:
        mount, source = request.query.get("mount", ""), registry.images.repositories.get(request.query.get("from", ""))
        if mount and source is not None and source.refers_to(mount) and mount in registry.images.blobs:
            return _store(registry, repository, registry.images.blobs[mount], mount)
        if digest := request.query.get("digest"):
            return _store(registry, repository, await request.read(), digest)
        name = str(uuid.uuid4())
        upload = self._uploads[name] = Upload(repository.name)
        return web.Response(status=202, headers=_place(upload, name))


def _place(upload: Upload, name: str) -> dict[str, str]:
    return {
        "Location": f"/v2/{upload.repository}/blobs/uploads/{name}",
        "Docker-Upload-UUID": name,
        "Range": f"0-{max(len(upload.content) - 1, 0)}",
    }


def _store(registry: Registry, repository: Repository, content: bytes, digest: str) -> web.Response:
    if digest_of(content) != digest:
        raise DataError(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    registry.images.blobs[digest] = content
    repository.uploaded.add(digest)
    headers = {"Location": f"/v2/{repository.name}/blobs/{digest}", "Docker-Content-Digest": digest}
    return web.Response(status=201, headers=headers)


async def put_manifest(
    request: web.Request, registry: Registry, repository: Repository, reference: str, now: datetime
) -> web.Response:
    """Store a manifest or index whose parts are there already, and tag it. Raises `DataError`."""
    content = await request.read()
    try:
        document = json.loads(content)
        media_type = document.get("mediaType") or request.content_type
        manifest = Manifest(content, media_type, _architecture(registry, document))
        digests, children = list(manifest.references()), manifest.children()
    except (ValueError, AttributeError, KeyError, TypeError):
        raise DataError(400, "MANIFEST_INVALID", "manifest invalid") from None
    digest, tagged = manifest.digest, not reference.startswith("sha256:")
    if not tagged and reference != digest:
        raise DataError(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    for part in digests:
        stored = repository.manifests if part in children else registry.images.blobs
        if part not in stored:
            raise DataError(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"digest": part})
    repository.manifests[digest] = manifest
    repository.manifest_times.setdefault(digest, now)
    if tagged:
        repository.tag(reference, digest, now)
    headers = {"Location": f"/v2/{repository.name}/manifests/{digest}", "Docker-Content-Digest": digest}
    if subject := (document.get("subject") or {}).get("digest"):
        headers["OCI-Subject"] = subject
    return web.Response(status=201, headers=headers)


def _architecture(registry: Registry, document: dict[str, Any]) -> str | None:
    """The architecture that an image's configuration names; None for an index, and for other artifacts."""
    config = registry.images.blobs.get((document.get("config") or {}).get("digest", ""), b"{}")
    try:
        architecture = json.loads(config).get("architecture")
    except (ValueError, AttributeError):
        return None
    return str(architecture) if architecture else None


def referrers(repository: Repository, digest: str, artifact_type: str) -> dict[str, Any]:
    """An index of the manifests whose subject has this digest, of one artifact type if that isn't empty."""
    entries = []
    for name, manifest in repository.manifests.items():
        document = json.loads(manifest.content)
        kind = document.get("artifactType") or (document.get("config") or {}).get("mediaType", "")
        if (document.get("subject") or {}).get("digest") != digest or artifact_type not in ("", kind):
            continue
        entry = {"mediaType": manifest.media_type, "digest": name, "size": len(manifest.content), "artifactType": kind}
        if annotations := document.get("annotations"):
            entry["annotations"] = annotations
        entries.append(entry)
    return {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
