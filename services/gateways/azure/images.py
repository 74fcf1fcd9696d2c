"""Images of a cloud registry, as its data plane names them.

The registry takes no Entra token for its content: the token is exchanged for a refresh token of the registry, and that
for an access token to one repository (Azure/acr: AAD-OAuth). Entra tokens go to a login server alone, and are good for
Container Registry alone.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError

from services.gateways.answers import AnswerTooLargeError, retry_after
from services.gateways.azure import rights
from services.gateways.azure.identity import Logins
from services.gateways.azure.retries import TryOutcome, pause
from services.gateways.azure.translation import SERVICE, from_sdk, throttled, unreadable
from services.model.azure import AcrRef, Image
from services.model.contents import CloudTag
from services.model.errors import Absent, DomainError, Foreign, NotAllowed, Refused, Unreachable, Unreadable
from services.model.redaction import short

SCOPE = "https://containerregistry.azure.net/.default"
"""What the Entra token is asked for, the same in every cloud (azure-cli: acr/_docker_utils.py)."""
TAGS_PAGE, MAX_TAG_PAGES = 1000, 50
"""Tags in one answer, the most that the service gives, and answers for one repository."""

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""What a node accepts too: the answer's digest is that of the kind that is chosen."""
_KEPT_OUT = re.compile(r"client with IP\b.*\bnot allowed access", re.IGNORECASE)
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _THROTTLED, _ERRORS, _SERVER = 401, 403, 404, 429, 400, 500


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def object(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}


class Images:
    """Implements `ports.Images`. `deadline` is of one question, in seconds."""

    def __init__(self, logins: Logins, session: aiohttp.ClientSession, deadline: float) -> None:
        self._logins, self._session, self._deadline = logins, session, deadline

    async def get(self, acr: AcrRef, login_server: str, repository: str, reference: str) -> Image:
        """The image behind a tag or digest. Raises `Absent`, its code `NAME_UNKNOWN` where there is no repository."""
        target = f"{login_server}/{repository}{'@' if ':' in reference else ':'}{reference}"
        with _answering(target, self._deadline):
            async with asyncio.timeout(self._deadline):
                url = f"https://{login_server}/v2/{repository}"
                headers = {"Authorization": f"Bearer {await self._access_token(acr, login_server, repository, target)}"}
                accept = {"Accept": ", ".join(MANIFESTS)}
                answer = await self._request("GET", f"{url}/manifests/{reference}", target, headers=headers | accept)
                digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
                manifest = answer.object
                if isinstance(entries := manifest.get("manifests"), list):
                    return Image(digest, {entry["digest"]: _platform(entry.get("platform")) for entry in entries})
                config = await self._request(
                    "GET", f"{url}/blobs/{manifest['config']['digest']}", target, headers=headers
                )
                return Image(digest, {digest: _platform(config.object)})

    async def any_tag(self, acr: AcrRef, login_server: str, repository: str) -> str:
        """Raises `Absent` where there is none."""
        target = f"{login_server}/{repository}"
        with _answering(target, self._deadline):
            async with asyncio.timeout(self._deadline):
                headers = {"Authorization": f"Bearer {await self._access_token(acr, login_server, repository, target)}"}
                url = f"https://{login_server}/v2/{repository}/tags/list?n=1"
                tags = (await self._request("GET", url, target, headers=headers)).object.get("tags")
                if not tags:
                    raise Absent(SERVICE, target, "TAG_UNKNOWN", "the repository has no tag")
                return str(tags[0])

    async def tags(self, acr: AcrRef, login_server: str, repository: str) -> dict[str, CloudTag]:
        """Of all pages. Raises `Absent`, its code `NAME_UNKNOWN` where there is no such repository."""
        target = f"{login_server}/{repository}"
        tags: dict[str, CloudTag] = {}
        with _answering(target, self._deadline, rights.LIST):
            async with asyncio.timeout(self._deadline):
                headers = {"Authorization": f"Bearer {await self._access_token(acr, login_server, repository, target)}"}
                url, last = f"https://{login_server}/acr/v1/{repository}/_tags", ""
                for _ in range(MAX_TAG_PAGES):
                    query = {"n": str(TAGS_PAGE)} | ({"last": last} if last else {})
                    answer = await self._request("GET", url, target, headers=headers, params=query)
                    page = answer.object.get("tags") or []
                    tags |= {str(tag["name"]): CloudTag(str(tag["digest"]), _moment(tag)) for tag in page}
                    if not page or "Link" not in answer.headers:
                        return tags
                    last = str(page[-1]["name"])
        raise Unreadable(SERVICE, target, "EndlessList", "a list of tags without an end")

    async def tag(self, acr: AcrRef, login_server: str, repository: str, name: str) -> CloudTag:
        """One of them. Raises `Absent`."""
        target = f"{login_server}/{repository}:{name}"
        with _answering(target, self._deadline, rights.LIST):
            async with asyncio.timeout(self._deadline):
                token = await self._access_token(acr, login_server, repository, target)
                url = f"https://{login_server}/acr/v1/{repository}/_tags/{name}"
                answer = await self._request("GET", url, target, headers={"Authorization": f"Bearer {token}"})
                tag = answer.object["tag"]
                return CloudTag(str(tag["digest"]), _moment(tag))

    async def _access_token(self, acr: AcrRef, login_server: str, repository: str, target: str) -> str:
        entra = (await self._logins.at(acr.id).get_token(SCOPE)).token
        url = f"https://{login_server}/oauth2"
        exchange = {"grant_type": "access_token", "service": login_server, "access_token": entra}
        refresh = await self._request("POST", f"{url}/exchange", target, data=exchange)
        form = {
            "grant_type": "refresh_token",
            "service": login_server,
            "scope": f"repository:{repository}:pull,metadata_read",
            "refresh_token": _text(refresh, "refresh_token", target),
        }
        return _text(await self._request("POST", f"{url}/token", target, data=form), "access_token", target)

    async def _request(self, method: str, url: str, target: str, **options: Any) -> _Answer:
        """The answer to a request that changes nothing, asked again where that may help."""
        clock, tries = asyncio.get_running_loop().time, 0
        end = clock() + self._deadline
        while True:
            tries += 1
            answer: _Answer | aiohttp.ClientError
            try:
                # A blob may lie at another host, where aiohttp takes no bearer token; forms hold tokens too.
                async with self._session.request(method, url, allow_redirects=method == "GET", **options) as response:
                    answer = _Answer(response.status, response.headers, await response.read())
            except AnswerTooLargeError:
                raise
            except aiohttp.ClientError as error:
                answer = error
            status = answer.status if isinstance(answer, _Answer) else None
            delay = retry_after(answer.headers) if isinstance(answer, _Answer) else None
            wait = pause(TryOutcome(status, delay), tries=tries, resendable=True, remaining=end - clock())
            if wait is not None:
                await asyncio.sleep(wait)
            elif not isinstance(answer, _Answer):
                raise answer
            elif answer.status >= _ERRORS:
                raise _refusal(answer, target)
            else:
                return answer


def _platform(entry: Any) -> str:
    """Such as `linux/amd64`; empty where the manifest names none, as those of attestations (`unknown/unknown`) do."""
    words = [str(entry.get(key) or "") for key in ("os", "architecture")] if isinstance(entry, dict) else []
    return "/".join(words) if all(words) and "unknown" not in words else ""


def _moment(tag: dict[str, Any]) -> datetime | None:
    """When a tag was last pointed at a manifest: `2026-11-30T08:00:00.1234567Z`, with seven digits."""
    text = tag.get("lastUpdateTime")
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _text(answer: _Answer, key: str, target: str) -> str:
    value = answer.object.get(key)
    if not isinstance(value, str) or not value:
        raise unreadable(target)
    return value


def _refusal(answer: _Answer, target: str) -> Foreign:
    """Our error for an answer of the data plane: `{"errors": [{"code": …, "message": …}]}`."""
    errors = answer.object.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code, message = str(first.get("code") or f"HTTP{answer.status}"), short(str(first.get("message") or ""))
    correlation = answer.headers.get("x-ms-correlation-request-id", "")
    if answer.status == _THROTTLED:
        return throttled(target, code, message, correlation, wait=retry_after(answer.headers))
    if answer.status >= _SERVER:
        return Unreachable(SERVICE, target, code, message, correlation)
    if not first and answer.status not in {_UNAUTHORIZED, _FORBIDDEN}:
        return Unreadable(SERVICE, target, code, "", correlation)
    if answer.status == _NOT_FOUND:
        return Absent(SERVICE, target, code, message, correlation)
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN} and code != "DENIED":
        # Entra has accepted the identity before, so what it lacks is the right.
        return NotAllowed(SERVICE, target, code, message, correlation)
    # By its firewall a registry answers DENIED too (Learn: container-registry-troubleshoot-access).
    reason = "network" if _KEPT_OUT.search(message) else ""
    return Refused(SERVICE, target, code, message, correlation, reason)


@contextmanager
def _answering(target: str, seconds: float, action: str = rights.PULL) -> Iterator[None]:
    """What leaves this block is an answer or an error of ours; no foreign error quotes a token then.

    `action` is what an identity lacks that is not allowed to ask.
    """
    try:
        yield
    except NotAllowed as error:
        raise replace(error, action=action, reason="images") from None
    except DomainError:
        raise
    except TimeoutError:
        raise Unreachable(SERVICE, target, "DeadlineExceeded", f"no answer in {seconds:g} s") from None
    except AnswerTooLargeError as error:
        raise Unreadable(SERVICE, target, "AnswerTooLarge", str(error)) from None
    except aiohttp.ClientError as error:
        raise Unreachable(SERVICE, target, "NoConnection", short(str(error))) from None
    except AzureError as error:
        raise from_sdk(error, target) from None
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        raise unreadable(target) from None
