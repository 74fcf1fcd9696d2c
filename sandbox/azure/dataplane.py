"""The data plane of a registry: token exchange, catalog, tags, manifests, blobs and pushes, in ACR's own forms."""

import fnmatch
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from sandbox.azure.arm import is_allowed
from sandbox.azure.cloud import Cloud, Registry
from sandbox.azure.dataerrors import DataError
from sandbox.azure.edge import basic
from sandbox.azure.entra import Signer
from sandbox.azure.images import INDEX, Repository
from sandbox.azure.uploads import Uploads, put_manifest, referrers
from sandbox.clock import Clock

NULL_USER = "00000000-0000-0000-0000-000000000000"
ISSUER = "Azure Container Registry"
ACCESS_LIFE = 4500
REFRESH_LIFE = 10_800
PAGE = 100
MORE = "https://aka.ms/acr/authorization"
WORDS = {
    "pull": "content/read",
    "push": "content/write",
    "delete": "content/delete",
    "metadata_read": "metadata/read",
    "metadata_write": "metadata/write",
}
"""The actions of scope maps by their names in Docker's and ACR's token scopes."""
RIGHTS = {
    "content/read": "pull/read",
    "content/write": "push/write",
    "content/delete": "artifacts/delete",
    "metadata/read": "metadata/read",
    "metadata/write": "metadata/write",
}
"""What an Entra identity must be allowed to do for each, below Microsoft.ContainerRegistry/registries (Learn:
container-registry-rbac-built-in-roles-directory-reference, AcrPull, AcrPush and AcrDelete)."""
READ = ("GET", "HEAD")
ROUTE = re.compile(
    r"/v2/(?P<catalog>_catalog)"
    r"|/v2/(?P<tags>.+)/tags/list"
    r"|/v2/(?P<manifest>.+)/manifests/(?P<reference>[^/]+)"
    r"|/v2/(?P<blob>.+)/blobs/(?P<digest>sha256:[0-9a-f]+)"
    r"|/v2/(?P<upload>.+)/blobs/uploads/(?P<session>[^/]*)"
    r"|/v2/(?P<referrers>.+)/referrers/(?P<subject>[^/]+)"
    r"|/acr/v1/(?P<acr_catalog>_catalog)"
    r"|/acr/v1/(?P<acr_tags>.+)/_tags(?:/(?P<tag>[^/]+))?"
    r"|/acr/v1/(?P<acr_manifests>.+)/_manifests(?:/(?P<acr_digest>[^/]+))?"
    r"|/acr/v1/(?P<repository>.+)"
)


@dataclass(frozen=True)
class Grant:
    """What a caller may do: everything, or a list of `(repository pattern, action)`."""

    subject: str
    everything: bool = False
    actions: tuple[tuple[str, str], ...] = ()

    def allows(self, repository: str, action: str) -> bool:
        """Whether this action is allowed on this repository."""
        return self.everything or any(
            action == allowed and (repository == pattern or fnmatch.fnmatchcase(repository, pattern))
            for pattern, allowed in self.actions
        )

    def readable(self) -> list[str]:
        """Patterns of the repositories that may be listed; empty if the catalog may not be read."""
        if self.everything:
            return ["*"]
        return [pattern for pattern, action in self.actions if action == "metadata/read"]


class DataPlane:
    """Serves every registry; the caller chooses which one."""

    def __init__(self, cloud: Cloud, signer: Signer, clock: Clock) -> None:
        self._cloud = cloud
        self._signer = signer
        self._clock = clock
        self._uploads = Uploads()

    async def serve(self, request: web.Request, registry: Registry) -> web.Response:
        """Answer one request."""
        try:
            response = await self._answer(request, registry)
        except DataError as error:
            response = error.response()
        response.headers.setdefault("Docker-Distribution-Api-Version", "registry/2.0")
        response.headers["X-Ms-Correlation-Request-Id"] = str(uuid.uuid4())
        return response

    async def _answer(self, request: web.Request, registry: Registry) -> web.Response:
        path = request.path
        if path == "/oauth2/exchange":
            _check_method(request, ("POST",))
            return await self._exchange(request)
        if path == "/oauth2/token":
            _check_method(request, ("GET", "POST"))
            return await self._token(request, registry)
        if path in ("/v2", "/v2/"):
            _check_method(request, READ)
            self._grant(request, registry, None)
            return web.json_response({})
        match = ROUTE.fullmatch(path)
        if match is None:
            raise DataError(404, "NOT_FOUND", f"There is no {path}.")
        names = {name: value for name, value in match.groupdict().items() if value is not None}
        kind = next(iter(names))
        _check_method(request, _methods(kind, names))
        if kind == "upload" or request.method == "PUT":
            return await self._push(request, registry, names)
        handlers: dict[str, Callable[[web.Request, Registry, dict[str, str]], web.Response]] = {
            "catalog": self._catalog,
            "acr_catalog": self._catalog,
            "tags": self._tags,
            "manifest": self._manifest,
            "blob": self._blob,
            "referrers": self._referrers,
            "acr_tags": self._acr_tags,
            "acr_manifests": self._acr_manifests,
            "repository": self._repository,
        }
        return handlers[kind](request, registry, names)

    # Authentication

    async def _exchange(self, request: web.Request) -> web.Response:
        """An Entra token for a refresh token of this registry."""
        form = await request.post()
        grant = form.get("grant_type")
        if grant not in ("access_token", "access_token_refresh_token"):
            raise DataError(400, "UNSUPPORTED", f"The grant type {grant!r} is not supported.")
        claims = self._signer.claims(str(form.get("access_token", "")))
        if claims is None or claims.get("tid") != self._cloud.tenant or claims.get("exp", 0) <= time.time():
            raise DataError(401, "UNAUTHORIZED", f"authentication required, visit {MORE} for more information.")
        refresh = self._issue(request, str(claims["appid"]), REFRESH_LIFE, {"grant_type": "refresh_token"})
        return web.json_response({"refresh_token": refresh})

    async def _token(self, request: web.Request, registry: Registry) -> web.Response:
        """An access token, for a refresh token (POST) or a name and password (GET with Basic, or POST)."""
        if request.method == "POST":
            form = {key: str(value) for key, value in (await request.post()).items()}
            scopes = form.get("scope", "").split()
            if form.get("grant_type") == "password":
                grant = self._by_password(registry, form.get("username", ""), form.get("password", ""))
            else:
                grant = self._by_refresh(form.get("refresh_token", ""))
        else:
            scopes = [scope for value in request.query.getall("scope", []) for scope in value.split()]
            grant = self._by_basic(request, registry)
        if grant is None:
            raise DataError(401, "UNAUTHORIZED", f"authentication required, visit {MORE} for more information.")
        access = [entry for scope in scopes for entry in _access(grant, scope)]
        token = self._issue(request, grant.subject, ACCESS_LIFE, {"grant_type": "access_token", "access": access})
        return web.json_response({"access_token": token})

    def _by_basic(self, request: web.Request, registry: Registry) -> Grant | None:
        credentials = basic(request)
        if credentials is None:
            return None
        return self._by_password(registry, *credentials)

    def _by_refresh(self, token: str) -> Grant | None:
        claims = self._signer.claims(token)
        if claims is None or claims.get("grant_type") != "refresh_token" or claims["exp"] <= time.time():
            return None
        return self._of_identity(str(claims["sub"]))

    def _of_identity(self, client_id: str) -> Grant:
        """What an Entra identity may do in every repository, by its role."""
        principal = self._cloud.principals[client_id]
        kind = "Microsoft.ContainerRegistry/registries"
        actions = [action for action, right in RIGHTS.items() if is_allowed(principal, f"{kind}/{right}")]
        return Grant(client_id, everything=len(actions) == len(RIGHTS), actions=tuple(("*", one) for one in actions))

    def _by_password(self, registry: Registry, user: str, password: str) -> Grant | None:
        if user == NULL_USER:
            return self._by_refresh(password)
        if registry.admin_user and user == registry.name and password in registry.admin_passwords:
            return Grant(user, everything=True)
        token = registry.tokens.get(user.lower())
        if token is not None and token.opens(password, self._clock.now()):
            words = []
            for action in registry.actions(token):
                kind, _, name = action.partition("/")
                repository, area, verb = name.rsplit("/", 2)
                if kind == "repositories":
                    words.append((repository, f"{area}/{verb}"))
            return Grant(token.name, actions=tuple(words))
        return None

    def _by_bearer(self, request: web.Request, registry: Registry, token: str) -> Grant | None:
        claims = self._signer.claims(token)
        if claims is None or claims["exp"] <= time.time() or claims.get("aud") != request.host:
            return None
        if claims.get("grant_type") == "refresh_token":
            return self._of_identity(str(claims["sub"]))
        subject = str(claims["sub"])
        sync_token = registry.tokens.get(subject.lower())
        if sync_token is not None and sync_token.status != "enabled":
            return None
        actions = tuple((entry["name"], WORDS[word]) for entry in claims["access"] for word in entry["actions"])
        return Grant(subject, actions=actions)

    def _issue(self, request: web.Request, subject: str, life: int, extra: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {"jti": str(uuid.uuid4()), "sub": subject, "nbf": now, "exp": now + life, "iat": now, "iss": ISSUER}
        return self._signer.sign({**claims, "aud": request.host, "version": "1.0", **extra})

    def _grant(self, request: web.Request, registry: Registry, scope: str | None) -> Grant:
        """The caller's grant, by Basic or Bearer; raises a 401 with ACR's challenge if there is none."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grant = (
            self._by_bearer(request, registry, token)
            if scheme.lower() == "bearer"
            else self._by_basic(request, registry)
        )
        if grant is None:
            raise _unauthorized(request, scope, "invalid_token" if scope else None)
        return grant

    # Content

    def _catalog(self, request: web.Request, registry: Registry, _names: dict[str, str]) -> web.Response:
        grant = self._grant(request, registry, "registry:catalog:*")
        if not grant.readable():
            raise _unauthorized(request, "registry:catalog:*", "insufficient_scope")
        names = sorted(name for name in registry.images.repositories if grant.allows(name, "metadata/read"))
        page, headers = _page(request, names)
        return web.json_response({"repositories": page}, headers=headers)

    def _tags(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        repository = self._readable(request, registry, names["tags"], "metadata_read", "pull")
        page, headers = _page(request, sorted(repository.tags))
        return web.json_response({"name": repository.name, "tags": page}, headers=headers)

    def _manifest(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        if request.method == "DELETE":
            return self._delete_manifest(request, registry, names["manifest"], names["reference"])
        repository = self._readable(request, registry, names["manifest"], "pull")
        entry = repository.find(names["reference"])
        if entry is None:
            raise _manifest_unknown(names["reference"])
        digest, manifest = entry
        # As ACR does, refuse a client that accepts only other kinds of manifests.
        accepted = {
            one.partition(";")[0].strip() for line in request.headers.getall("Accept", []) for one in line.split(",")
        }
        if accepted and not accepted & {manifest.media_type, "*/*", "application/*"}:
            singular, kinds = ("index", "indexes") if manifest.media_type == INDEX else ("manifest", "manifests")
            message = f"OCI {singular} found, but accept header does not support OCI {kinds}"
            raise DataError(404, "MANIFEST_UNKNOWN", message)
        headers = {"Docker-Content-Digest": digest, "Etag": f'"{digest}"', "Content-Type": manifest.media_type}
        return web.Response(body=manifest.content, headers=headers)

    def _blob(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        repository = self._readable(request, registry, names["blob"], "pull")
        content = registry.images.blobs.get(names["digest"])
        if content is None or not repository.refers_to(names["digest"]):
            raise DataError(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": names["digest"]})
        headers = {
            "Docker-Content-Digest": names["digest"],
            "Content-Type": "application/octet-stream",
            "Accept-Ranges": "bytes",
        }
        if "Range" not in request.headers:
            return web.Response(body=content, headers=headers)
        # The bytes that a `Range` header names.
        try:
            start, stop, _ = request.http_range.indices(len(content))
        except ValueError:
            start, stop = 0, 0
        if start >= stop:
            headers["Content-Range"] = f"bytes */{len(content)}"
            return web.Response(status=416, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
        return web.Response(status=206, body=content[start:stop], headers=headers)

    async def _push(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        name = names.get("upload") or names["manifest"]
        grant = self._grant(request, registry, f"repository:{name}:pull,push")
        if not grant.allows(name, WORDS["push"]):
            detail = [{"Type": "repository", "Name": name, "Action": "push"}]
            raise _unauthorized(request, f"repository:{name}:pull,push", "insufficient_scope", detail)
        now = self._clock.now()
        repository = registry.images.repository(name, now)
        if "upload" in names:
            return await self._uploads.serve(request, registry, repository, names.get("session", ""))
        return await put_manifest(request, registry, repository, names["reference"], now)

    def _referrers(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        repository = self._readable(request, registry, names["referrers"], "pull")
        kind = request.query.get("artifactType", "")
        headers = {"Content-Type": INDEX} | ({"OCI-Filters-Applied": "artifactType"} if kind else {})
        return web.Response(body=json.dumps(referrers(repository, names["subject"], kind)), headers=headers)

    def _acr_tags(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        tag = names.get("tag")
        if request.method == "DELETE":
            repository = self._readable(request, registry, names["acr_tags"], "delete")
            if names["tag"] not in repository.tags:
                raise _tag_unknown(names["tag"])
            repository.drop_tag(names["tag"])
            return web.Response(status=202)
        repository = self._readable(request, registry, names["acr_tags"], "metadata_read")
        base: dict[str, Any] = {"registry": request.host, "imageName": repository.name}
        if tag:
            if tag not in repository.tags:
                raise _tag_unknown(tag)
            return web.json_response(base | {"tag": _tag_body(repository, tag)})
        page, headers = _page(request, sorted(repository.tags))
        return web.json_response(base | {"tags": [_tag_body(repository, one) for one in page]}, headers=headers)

    def _acr_manifests(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        repository = self._readable(request, registry, names["acr_manifests"], "metadata_read")
        base: dict[str, Any] = {"registry": request.host, "imageName": repository.name}
        if digest := names.get("acr_digest"):
            if digest not in repository.manifests:
                raise _manifest_unknown(digest)
            return web.json_response(base | {"manifest": _manifest_body(registry, repository, digest)})
        page, headers = _page(request, sorted(repository.manifests))
        bodies = [_manifest_body(registry, repository, digest) for digest in page]
        return web.json_response(base | {"manifests": bodies}, headers=headers)

    def _repository(self, request: web.Request, registry: Registry, names: dict[str, str]) -> web.Response:
        if request.method == "DELETE":
            repository = self._readable(request, registry, names["repository"], "delete")
            del registry.images.repositories[repository.name]
            body = {"manifestsDeleted": list(repository.manifests), "tagsDeleted": list(repository.tags)}
            return web.json_response(body, status=202)
        repository = self._readable(request, registry, names["repository"], "metadata_read")
        changed = max((times[1] for times in repository.tag_times.values()), default=repository.created)
        return web.json_response(
            {
                "registry": request.host,
                "imageName": repository.name,
                "createdTime": _time(repository.created),
                "lastUpdateTime": _time(changed),
                "manifestCount": len(repository.manifests),
                "tagCount": len(repository.tags),
                "changeableAttributes": _changeable(),
            }
        )

    def _delete_manifest(self, request: web.Request, registry: Registry, name: str, reference: str) -> web.Response:
        repository = self._readable(request, registry, name, "delete")
        manifest = repository.find(reference)
        if manifest is None:
            raise _manifest_unknown(reference)
        repository.drop_manifest(manifest[0])
        return web.Response(status=202)

    def _readable(self, request: web.Request, registry: Registry, name: str, *words: str) -> Repository:
        """The repository, if the caller holds one of the permissions."""
        grant = self._grant(request, registry, f"repository:{name}:{words[0]}")
        if not any(grant.allows(name, WORDS[word]) for word in words):
            detail = [{"Type": "repository", "Name": name, "Action": words[0]}]
            raise _unauthorized(request, f"repository:{name}:{words[0]}", "insufficient_scope", detail)
        repository = registry.images.repositories.get(name)
        if repository is None:
            raise DataError(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        return repository


def _access(grant: Grant, scope: str) -> list[dict[str, Any]]:
    """The granted part of a requested scope, as claims of an access token."""
    kind, _, target = scope.partition(":")
    name, _, words = target.rpartition(":")
    if kind == "registry":
        # A token's catalog lists only what the token may read, so the claims carry these repositories.
        readable = grant.readable()
        return [{"type": "repository", "name": pattern, "actions": ["metadata_read"]} for pattern in readable]
    verbs = list(WORDS) if words == "*" else words.split(",")
    allowed = [word for word in verbs if word in WORDS and grant.allows(name, WORDS[word])]
    return [{"type": kind, "name": name, "actions": allowed}] if allowed else []


def _unauthorized(request: web.Request, scope: str | None, error: str | None, detail: Any = None) -> DataError:
    challenge = f'Bearer realm="https://{request.host}/oauth2/token",service="{request.host}"'
    if scope:
        challenge += f',scope="{scope}"'
    if error:
        challenge += f',error="{error}"'
    message = f"authentication required, visit {MORE} for more information."
    return DataError(401, "UNAUTHORIZED", message, detail, challenge)


def _methods(kind: str, names: dict[str, str]) -> tuple[str, ...]:
    """The methods that a route allows. No attribute can be locked."""
    if kind == "upload":
        return ("GET", "PATCH", "PUT", "DELETE") if names.get("session") else ("POST",)
    if kind == "manifest":
        return (*READ, "PUT", "DELETE")
    return (*READ, "DELETE") if kind == "repository" or "tag" in names else READ


def _check_method(request: web.Request, allowed: tuple[str, ...]) -> None:
    if request.method not in allowed:
        raise DataError(405, "UNSUPPORTED", "The operation is unsupported.", allowed=allowed)


def _manifest_unknown(reference: str) -> DataError:
    kind = "" if reference.startswith("sha256:") else f' tagged by "{reference}"'
    return DataError(404, "MANIFEST_UNKNOWN", f"manifest{kind} is not found", {"Reference": reference})


def _tag_unknown(tag: str) -> DataError:
    return DataError(404, "TAG_UNKNOWN", "the specified tag does not exist", {"name": tag})


def _page(request: web.Request, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """One page after `last`, of `n` names, and the link to the next."""
    last, text = request.query.get("last", ""), request.query.get("n", "")
    size = int(text) if text.isdigit() and int(text) else PAGE
    following = [name for name in names if name > last]
    if len(following) <= size:
        return following, {}
    page = following[:size]
    return page, {"Link": f'<{request.path}?last={quote(page[-1], safe="")}&n={size}>; rel="next"'}


def _tag_body(repository: Repository, tag: str) -> dict[str, Any]:
    created, changed = repository.tag_times[tag]
    return {
        "name": tag,
        "digest": repository.tags[tag],
        "createdTime": _time(created),
        "lastUpdateTime": _time(changed),
        "signed": False,
        "changeableAttributes": _changeable(),
    }


def _manifest_body(registry: Registry, repository: Repository, digest: str) -> dict[str, Any]:
    manifest = repository.manifests[digest]
    moment = _time(repository.manifest_times[digest])
    parts = [repository.manifests[digest] for digest in manifest.children() if digest in repository.manifests]
    digests = {digest for one in (manifest, *parts) for digest in one.references()}
    body: dict[str, Any] = {
        "digest": digest,
        "imageSize": sum(len(registry.images.blobs.get(digest, b"")) for digest in digests),
        "createdTime": moment,
        "lastUpdateTime": moment,
        "mediaType": manifest.media_type,
        "tags": sorted(tag for tag, at in repository.tags.items() if at == digest),
        "changeableAttributes": _changeable(),
    }
    if manifest.architecture:
        body |= {"architecture": manifest.architecture, "os": "linux"}
    else:
        body["references"] = json.loads(manifest.content).get("manifests", [])
    return body


def _changeable() -> dict[str, bool]:
    return {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
