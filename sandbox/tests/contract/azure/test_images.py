"""The data plane: tokens of a registry, catalog, tags, manifests and blobs."""

import hashlib
from typing import Any

import pytest
from azure.identity.aio import ClientSecretCredential

from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Cloud, Http

READ = ("repositories/hello-world/content/read", "repositories/hello-world/metadata/read")


@pytest.fixture
def registry(cloud: Cloud) -> str:
    return cloud.azure.environment()["ACR_CONTOSOACR_URL"]


@pytest.fixture
async def imported(cloud: Cloud) -> None:
    for image in ("hello-world:latest", "oss/nginx/nginx:1.25"):
        source = {"registryUri": "mcr.microsoft.com", "sourceImage": image}
        await (await cloud.acr.registries.begin_import_image(GROUP, REGISTRY, {"source": source})).result()


@pytest.fixture
async def puller(cloud: Cloud, imported: None) -> Http:
    """A client with a token that may read `hello-world` and nothing else."""
    password = await cloud.mint(await cloud.make_token("client", *READ))
    return cloud.http.with_basic("client", password)


async def refresh_token(http: Http, registry: str, credential: ClientSecretCredential) -> str:
    token = (await credential.get_token("https://management.azure.com/.default")).token
    form = {"grant_type": "access_token", "service": registry.removeprefix("https://"), "access_token": token}
    answer = await http.send("POST", f"{registry}/oauth2/exchange", data=form)
    return str(answer.json["refresh_token"])


async def access_token(http: Http, registry: str, refresh: str, scope: str) -> Http:
    form = {"grant_type": "refresh_token", "service": "any", "scope": scope, "refresh_token": refresh}
    answer = await http.send("POST", f"{registry}/oauth2/token", data=form)
    return http.with_bearer(answer.json["access_token"])


async def test_the_challenge_says_where_tokens_are(http: Http, registry: str) -> None:
    answer = await http.get(f"{registry}/v2/")
    host = registry.removeprefix("https://")

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{registry}/oauth2/token",service="{host}"'
    assert answer.json["errors"][0]["code"] == "UNAUTHORIZED"


async def test_an_entra_token_becomes_access_to_the_catalog(
    http: Http, registry: str, credential: ClientSecretCredential, imported: None
) -> None:
    refresh = await refresh_token(http, registry, credential)
    client = await access_token(http, registry, refresh, "registry:catalog:*")

    assert (await client.get(f"{registry}/v2/_catalog")).json == {"repositories": ["hello-world", "oss/nginx/nginx"]}
    assert (await client.get(f"{registry}/acr/v1/_catalog")).status == 200


async def test_the_catalog_comes_in_pages(
    http: Http, registry: str, credential: ClientSecretCredential, imported: None
) -> None:
    refresh = await refresh_token(http, registry, credential)
    client = await access_token(http, registry, refresh, "registry:catalog:*")
    first = await client.get(f"{registry}/v2/_catalog?n=1")
    link = first.headers["Link"].partition(">")[0].removeprefix("<")

    assert first.json == {"repositories": ["hello-world"]}
    assert (await client.get(f"{registry}{link}")).json == {"repositories": ["oss/nginx/nginx"]}


async def test_digests_are_those_of_the_content(puller: Http, registry: str) -> None:
    index = await puller.get(f"{registry}/v2/hello-world/manifests/latest")
    digest = f"sha256:{hashlib.sha256(index.content).hexdigest()}"
    child = index.json["manifests"][0]["digest"]
    manifest = await puller.get(f"{registry}/v2/hello-world/manifests/{child}")
    layer = manifest.json["layers"][0]
    blob = await puller.get(f"{registry}/v2/hello-world/blobs/{layer['digest']}")

    assert index.headers["Docker-Content-Digest"] == digest
    assert f"sha256:{hashlib.sha256(manifest.content).hexdigest()}" == child
    assert f"sha256:{hashlib.sha256(blob.content).hexdigest()}" == layer["digest"]
    assert len(blob.content) == layer["size"]


async def test_a_blob_comes_in_parts(puller: Http, registry: str) -> None:
    index = await puller.get(f"{registry}/v2/hello-world/manifests/latest")
    manifest = await puller.get(f"{registry}/v2/hello-world/manifests/{index.json['manifests'][0]['digest']}")
    url = f"{registry}/v2/hello-world/blobs/{manifest.json['config']['digest']}"
    complete = await puller.get(url)
    puller.headers["Range"] = "bytes=2-5"
    part = await puller.get(url)

    assert (part.status, part.content) == (206, complete.content[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(complete.content)}"


async def test_a_head_request_gives_the_digest_alone(puller: Http, registry: str) -> None:
    answer = await puller.send("HEAD", f"{registry}/v2/hello-world/manifests/latest")

    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["Docker-Content-Digest"].startswith("sha256:")


async def test_a_token_reads_what_its_scope_map_names(puller: Http, registry: str) -> None:
    tags = await puller.get(f"{registry}/v2/hello-world/tags/list")
    refused = await puller.get(f"{registry}/v2/oss/nginx/nginx/tags/list")
    catalog = await puller.get(f"{registry}/v2/_catalog")

    assert tags.json == {"name": "hello-world", "tags": ["latest"]}
    assert refused.status == 401
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert catalog.json == {"repositories": ["hello-world"]}


async def test_a_token_gets_an_access_token_for_no_more_than_it_may(puller: Http, registry: str) -> None:
    scope = "scope=repository:hello-world:pull,push&scope=repository:oss/nginx/nginx:pull"
    answer = await puller.get(f"{registry}/oauth2/token?service=any&{scope}")
    client = puller.with_bearer(answer.json["access_token"])

    assert (await client.get(f"{registry}/v2/hello-world/manifests/latest")).status == 200
    assert (await client.get(f"{registry}/v2/oss/nginx/nginx/manifests/1.25")).status == 401


async def test_a_wrong_password_gets_no_access_token(cloud: Cloud, registry: str, puller: Http) -> None:
    answer = await cloud.http.with_basic("client", "wrong").get(f"{registry}/oauth2/token?service=any")

    assert (answer.status, answer.json["errors"][0]["code"]) == (401, "UNAUTHORIZED")


async def test_a_blob_of_another_repository_is_unknown(cloud: Cloud, registry: str, puller: Http) -> None:
    password = await cloud.mint(await cloud.make_token("other", "repositories/oss/nginx/nginx/content/read"))
    outsider = cloud.http.with_basic("other", password)
    index = await outsider.get(f"{registry}/v2/oss/nginx/nginx/manifests/1.25")
    child = index.json["manifests"][0]["digest"]
    digest = (await outsider.get(f"{registry}/v2/oss/nginx/nginx/manifests/{child}")).json["config"]["digest"]

    assert (await outsider.get(f"{registry}/v2/oss/nginx/nginx/blobs/{digest}")).status == 200
    assert (await puller.get(f"{registry}/v2/hello-world/blobs/{digest}")).status == 404


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/vnd.docker.distribution.manifest.v2+json", 404),
        ("application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json;q=0.5", 200),
        ("*/*", 200),
    ],
)
async def test_a_manifest_comes_to_clients_that_know_its_kind(
    puller: Http, registry: str, accept: str, status: int
) -> None:
    puller.headers["Accept"] = accept

    assert (await puller.get(f"{registry}/v2/hello-world/manifests/latest")).status == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v2/_catalog"),
        ("PATCH", "/acr/v1/hello-world/_tags/latest"),
    ],
)
async def test_what_is_not_offered_is_unsupported(puller: Http, registry: str, method: str, path: str) -> None:
    refused = await puller.send(method, f"{registry}{path}", data=b"{}")

    assert (refused.status, refused.json["errors"][0]["code"]) == (405, "UNSUPPORTED")


@pytest.mark.parametrize(
    ("path", "code"),
    [("hello-world/manifests/v99", "MANIFEST_UNKNOWN"), ("hello-world/blobs/sha256:00", "BLOB_UNKNOWN")],
)
async def test_what_is_unknown_has_its_code(puller: Http, registry: str, path: str, code: str) -> None:
    answer = await puller.get(f"{registry}/v2/{path}")

    assert (answer.status, answer.json["errors"][0]["code"]) == (404, code)


async def test_attributes_tell_tags_and_manifests(puller: Http, registry: str) -> None:
    tags = (await puller.get(f"{registry}/acr/v1/hello-world/_tags")).json["tags"]
    manifests = (await puller.get(f"{registry}/acr/v1/hello-world/_manifests")).json["manifests"]

    assert [one["name"] for one in tags] == ["latest"]
    assert {tuple(one["tags"]) for one in manifests if one["digest"] == tags[0]["digest"]} == {("latest",)}
    assert sorted(one.get("architecture", "") for one in manifests) == ["", "amd64", "arm64"]


async def test_a_registry_is_also_reached_by_its_name(cloud: Cloud, puller: Http) -> None:
    answer = await puller.at("contosoacr.azurecr.io").get(f"{cloud.azure.url}/v2/hello-world/tags/list")

    assert answer.json["tags"] == ["latest"]


async def test_a_new_registry_has_its_own_port(cloud: Cloud, http: Http) -> None:
    body: dict[str, Any] = {"location": "westeurope", "sku": {"name": "Basic"}}
    registry = await (await cloud.acr.registries.begin_create(GROUP, "newacr", body)).result()
    server = registry.as_dict()["properties"]["loginServer"]

    assert (await http.get(f"https://{server}/v2/")).status == 401
