"""Pushing to a registry, and what hangs on its images."""

import hashlib
import json
from typing import Any

import pytest

from sandbox.tests.contract.azure.cloud import Cloud, Http, Reply

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = b"{}"


@pytest.fixture
def registry(cloud: Cloud) -> str:
    return cloud.azure.environment()["ACR_CONTOSOACR_URL"]


@pytest.fixture
async def pusher(cloud: Cloud) -> Http:
    """A client with a token that may push to `team/app`."""
    verbs = ("content/read", "content/write", "metadata/read")
    token = await cloud.make_token("pusher", *(f"repositories/team/app/{verb}" for verb in verbs))
    return cloud.http.with_basic("pusher", await cloud.mint(token))


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(content: bytes, media_type: str = "application/octet-stream") -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


async def push_blob(client: Http, registry: str, content: bytes) -> Reply:
    """In two parts, as docker and crane do."""
    started = await client.send("POST", f"{registry}/v2/team/app/blobs/uploads/")
    place = f"{registry}{started.headers['Location']}"
    await client.send("PATCH", place, data=content)
    return await client.send("PUT", place, params={"digest": digest(content)})


async def push_manifest(client: Http, registry: str, reference: str, document: dict[str, Any]) -> Reply:
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described(EMPTY), "layers": []} | document
    return await client.send("PUT", f"{registry}/v2/team/app/manifests/{reference}", data=json.dumps(manifest))


async def test_an_image_is_pushed_and_pulled(pusher: Http, registry: str) -> None:
    stored = await push_blob(pusher, registry, EMPTY)
    layer = await push_blob(pusher, registry, b"layer")
    pushed = await push_manifest(pusher, registry, "v1", {"layers": [described(b"layer")]})
    pulled = await pusher.get(f"{registry}/v2/team/app/manifests/v1")
    blob = await pusher.get(f"{registry}/v2/team/app/blobs/{digest(b'layer')}")

    assert (stored.status, layer.status, pushed.status) == (201, 201, 201)
    assert pulled.headers["Docker-Content-Digest"] == pushed.headers["Docker-Content-Digest"] == digest(pulled.content)
    assert blob.content == b"layer"


async def test_a_blob_is_pushed_in_one_request(pusher: Http, registry: str) -> None:
    place = f"{registry}/v2/team/app/blobs/uploads/"
    stored = await pusher.send("POST", place, params={"digest": digest(b"x")}, data=b"x")

    assert (stored.status, (await pusher.send("HEAD", f"{registry}/v2/team/app/blobs/{digest(b'x')}")).status) == (
        201,
        200,
    )


@pytest.mark.parametrize("name", ["hello-world", "team/app"])
async def test_pushing_needs_the_right_to_write(cloud: Cloud, registry: str, name: str) -> None:
    token = await cloud.make_token("reader", f"repositories/{name}/content/read")
    reader = cloud.http.with_basic("reader", await cloud.mint(token))
    anonymous = await cloud.http.post(f"{registry}/v2/{name}/blobs/uploads/")
    refused = await reader.post(f"{registry}/v2/{name}/blobs/uploads/")

    assert (anonymous.status, refused.status) == (401, 401)
    assert f'scope="repository:{name}:pull,push",error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


async def test_a_blob_with_another_digest_is_refused(pusher: Http, registry: str) -> None:
    place = f"{registry}/v2/team/app/blobs/uploads/"
    refused = await pusher.send("POST", place, params={"digest": digest(b"y")}, data=b"x")

    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "DIGEST_INVALID")


async def test_a_manifest_without_its_blobs_is_refused(pusher: Http, registry: str) -> None:
    refused = await push_manifest(pusher, registry, "v1", {})

    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")


async def test_a_signature_is_a_referrer_of_its_image(pusher: Http, registry: str) -> None:
    await push_blob(pusher, registry, EMPTY)
    image = (await push_manifest(pusher, registry, "v1", {})).headers["Docker-Content-Digest"]
    subject = {"mediaType": MANIFEST, "digest": image, "size": 1}
    document = {"subject": subject, "artifactType": "application/signature"}
    signature = await push_manifest(pusher, registry, "sig", document)
    listed = (await pusher.get(f"{registry}/v2/team/app/referrers/{image}")).json
    others = (await pusher.get(f"{registry}/v2/team/app/referrers/{image}?artifactType=application/sbom")).json

    assert signature.headers["OCI-Subject"] == image
    assert [one["artifactType"] for one in listed["manifests"]] == ["application/signature"]
    assert others["manifests"] == []
