"""The connected registry's process, one for each of its Pods: activate, keep in contact, synchronise, serve pulls."""

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.clock import Clock
from sandbox.edge import schedule
from sandbox.edge.cloud import Cloud, DeniedError, UnreachableError
from sandbox.edge.connection import BadConnectionStringError, Connection, parse
from sandbox.speed import Speed

log = logging.getLogger(__name__)
Json = dict[str, Any]
Health = Literal["starting", "ready", "refused", "crashing"]
"""`refused` runs but never becomes ready; `crashing` ends and is restarted."""
CONTINUOUS = timedelta(minutes=1)
LONGEST_BACK_OFF = 60.0
LOG_LINES = 200
KILLED, SEGMENTATION_FAULT = 128 + 9, 128 + 11
"""Exit codes of a process that a signal ended."""
UNAUTHORIZED, FORBIDDEN, CONFLICT = 401, 403, 409
AUTHORIZATION_PAGE = "Please visit https://aka.ms/acr#UNAUTHORIZED for more information."


@dataclass(frozen=True)
class Place:
    """What a runtime learns from its Pod."""

    connection_string: str = field(repr=False)
    instance: str
    """Stored on the volume, so that a new Pod with the same volume is the same instance."""
    version: str
    address: str
    tls: bool = True
    content: dict[str, dict[str, str]] = field(default_factory=dict)
    """Digests by repository and tag that are on the volume already."""
    manifests: dict[str, bytes] = field(default_factory=dict)
    """On the volume, by digest; shared with the next Pod that has it."""


class PullError(Exception):
    """An image can't be pulled; the text is containerd's. `resolved` is whether its manifest was found before."""

    def __init__(self, text: str, *, resolved: bool = False) -> None:
        super().__init__(text)
        self.resolved = resolved


class EndedError(Exception):
    """The container is ended by a signal: with this exit code, and for a reason as the kubelet words it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.ending = (code, reason)


class Runtime:
    """One process. `start` it, `stop` it; `changed` is called after each thing that others can see."""

    def __init__(
        self,
        place: Place,
        *,
        cloud: Cloud,
        clock: Clock,
        speed: Speed,
        scenario: Callable[[], str | None],
        changed: Callable[[], None],
    ) -> None:
        self.place = place
        self._cloud, self._clock, self._speed = cloud, clock, speed
        self._scenario, self._changed = scenario, changed
        self.health: Health = "starting"
        self.restarts = 0
        self.ending: tuple[int, str] = (1, "Error")
        """Exit code and reason of its container's last end."""
        self.log: list[str] = []
        self.previous_log: list[str] = []
        self.content: dict[str, dict[str, str]] = {name: dict(tags) for name, tags in place.content.items()}
        self.config: Json | None = None
        """As of the last contact; None until it is activated."""
        self.deactivated = False
        self.cause = ""
        """The code of the last failure, empty while all is well."""
        self.next_step: datetime = clock.now()
        self._connection: Connection | None = None
        self._synced = False
        self._phantom = False
        self._delay = speed.agent_period
        self._accepted: set[tuple[str, str]] = set()
        """Client tokens and their passwords that the cloud has accepted, at the last contact or since."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start running."""
        self._task = asyncio.create_task(self._run())

    async def stop(self, *, goodbye: bool) -> None:
        """End; with `goodbye` it signs off from the service, if it can."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if goodbye and self.config is not None and self._connection is not None:
            try:
                await self._cloud.gateway(self._connection, "goodbye", {"instance": self.place.instance})
            except (DeniedError, UnreachableError):
                return

    def status(self) -> Json:
        """Its state, for the control API."""
        return {
            "health": self.health,
            "cause": self.cause,
            "instance": self.place.instance,
            "address": self.place.address,
            "activated": self.config is not None and not self.deactivated,
            "restarts": self.restarts,
            "nextContact": self.next_step.isoformat(),
            "images": self.content,
            "log": self.log[-20:],
        }

    async def pull(self, repository: str, reference: str, user: str | None, password: str, platform: str = "") -> str:
        """The digest of an image that is stored here, for a node of this platform (os/architecture).

        Raises:
            PullError: there is no such image, or not for that platform, or these credentials don't grant it.
        """
        digest = await self._resolve(repository, reference, user, password)
        # containerd chooses among the manifests of an index; a single manifest it takes as it is (images.Manifest).
        platforms = {_platform(child): child["digest"] for child in _children(self.place.manifests.get(digest, b"{}"))}
        if platform and platforms and platform not in platforms:
            raise PullError("no match for platform in manifest: not found", resolved=True)
        if platform in platforms and platforms[platform] not in self.place.manifests:
            raise PullError(f"{self.place.address}/{repository}@{platforms[platform]}: not found", resolved=True)
        return digest

    async def actions(self, user: str, password: str) -> frozenset[str] | None:
        """What a client token may do here, in lower case; None where the token or its password is not known."""
        tokens = {token["name"]: token for token in (self.config or {}).get("clientTokens", [])}
        if user not in tokens or not await self._password_fits(user, password):
            return None
        return frozenset(str(action).lower() for action in tokens[user].get("scopes") or ())

    def manifest(self, repository: str, digest: str) -> bytes | None:
        """A manifest of a repository: behind one of its tags, or below the index behind one; None if it is not here."""
        tops = set(self.content.get(repository, {}).values())
        below = {child["digest"] for top in tops for child in _children(self.place.manifests.get(top, b"{}"))}
        return self.place.manifests.get(digest) if digest in tops | below else None

    async def _resolve(self, repository: str, reference: str, user: str | None, password: str) -> str:
        if self.health != "ready" or self._connection is None:
            url = f"https://{self.place.address}/v2/{repository}/manifests/{reference}"
            raise PullError(f'failed to do request: Head "{url}": connection refused')
        actions = await self.actions(user or "", password)
        if actions is None:
            scope = f"scope=repository%3A{repository.replace('/', '%2F')}%3Apull&service={self.place.address}"
            raise PullError(
                "failed to authorize: failed to fetch oauth token: unexpected status from GET request to "
                f"https://{self.place.address}/oauth2/token?{scope}: 401 Unauthorized"
            )
        if f"repositories/{repository}/content/read".lower() not in actions:
            raise PullError(
                "pull access denied, repository does not exist or may require authorization: "
                "server message: insufficient_scope: authorization failed"
            )
        tags = self.content.get(repository, {})
        if reference in tags.values():
            return reference
        if reference not in tags:
            raise PullError(f"{self.place.address}/{repository}:{reference}: not found")
        return tags[reference]

    async def _password_fits(self, user: str, password: str) -> bool:
        if (user, password) in self._accepted or self._connection is None:
            return (user, password) in self._accepted
        try:
            fits = await self._cloud.may_pull(self._connection, user, password)
        except UnreachableError:
            return False
        if fits:
            self._accepted.add((user, password))
        return fits

    async def _forget_ended_passwords(self) -> None:
        """Accept no longer what the cloud does not: changes of client tokens reach the edge with a sync (Learn)."""
        for user, password in list(self._accepted):
            if not await self._cloud.may_pull(self._must_connection, user, password):
                self._accepted.discard((user, password))

    async def _run(self) -> None:
        while True:
            try:
                await self._step()
            except Exception:  # the registry continues after an error of this code, and reports it
                log.exception("connected registry at %s", self.place.address)
                self._retry()
            self._changed()
            await self._clock.sleep(max((self.next_step - self._clock.now()).total_seconds(), 0.001))

    async def _step(self) -> None:
        try:
            self._start_up()
            if self.config is None:
                await self._activate()
            if not self.deactivated:
                await self._contact()
                config = (self.config or {}).get("syncProperties", self.config or {})
                plan = schedule.schedule(config.get("schedule"), config.get("syncWindow"))
                self.next_step = plan.next_contact(self._clock.now())
                self._delay = self._speed.agent_period
                self.cause = ""
        except EndedError as error:
            self.config = None
            self._end(error.ending, error.ending[1])
        except BadConnectionStringError as error:
            self.cause = "BAD_CONNECTION_STRING"
            self._crash(f"The connection string can't be used: {error}.")
        except DeniedError as error:
            entry = {"code": error.code, "message": error.message} | ({"detail": error.detail} if error.detail else {})
            body = json.dumps({"errors": [entry]}, separators=(",", ":"))
            self.cause = error.code
            text = f"Response status code does not indicate success: {error.status}. Response: '{body}'"
            if error.status == FORBIDDEN and self.config is not None:
                self._say("ERR", f"{text} This instance stops its synchronisation.")
                self.deactivated = True
                self.next_step = self._clock.now() + timedelta(days=365)
            elif error.status == CONFLICT:
                self._crash(text)
            else:
                self._say("ERR", text)
                self.health = "ready" if self.health == "ready" else "refused"
                self._retry()
        except UnreachableError as error:
            self._say("ERR", f"The parent registry can't be reached: {error}. Trying again.")
            self.health, self.cause = "ready", "UNREACHABLE"
            self._retry()

    def _start_up(self) -> None:
        if self._scenario() == "crash-without-log":
            raise EndedError(SEGMENTATION_FAULT, "Error")

    async def _activate(self) -> None:
        self._connection = connection = parse(self.place.connection_string)
        self._say("INF", f"Activating connected registry '{connection.name}' at https://{connection.gateway}.")
        self._strike()
        if self._scenario() == "already-activated" and not self._phantom:
            self._phantom = True
            await self._call("activate", instance=str(uuid.uuid4()))
        answer = await self._call("activate")
        self.config = answer.get("config", answer)
        self.health, self.cause, self._synced, self._delay = "ready", "", False, self._speed.agent_period
        self._say("INF", f"Connected registry '{connection.name}' is activated as instance {self.place.instance}.")

    async def _contact(self) -> None:
        """Synchronise with the known configuration, report it, and repeat if the answer changes the configuration."""
        self._strike()
        # The gateway comes first, so that a password that no longer fits is refused in its words.
        await self._tell(syncing=not self._synced)
        if not self._synced:
            self._changed()
            await self._clock.sleep(self._speed.sync)
        for _ in range(3):
            before = self._wishes()
            changes = await self._sync()
            await self._forget_ended_passwords()
            await self._tell(synced=True)
            if changes:
                self._say("INF", f"Synchronised: {changes} change(s).")
            self._synced = True
            if self._wishes() == before and not (self.config or {}).get("resync"):
                return

    async def _sync(self) -> int:
        """Update the stored content to the cloud's. Returns the number of tags that changed."""
        target: dict[str, dict[str, str]] = {}
        for name in self._wishes()[0]:
            tags = await self._cloud.tags(self._must_connection, name)
            if tags is None:
                continue
            target[name] = {tag: await self._fetch(name, tag) for tag in tags}
        before = {(name, tag, digest) for name, tags in self.content.items() for tag, digest in tags.items()}
        after = {(name, tag, digest) for name, tags in target.items() for tag, digest in tags.items()}
        for name, tag, digest in sorted(after - before):
            self._say("INF", f"Imported {name}:{tag}@{digest}.")
        self.content = target
        return len(before ^ after)

    async def _fetch(self, repository: str, tag: str) -> str:
        content, digest = await self._cloud.manifest(self._must_connection, repository, tag)
        self.place.manifests[digest] = content
        children = [child["digest"] for child in _children(content)]
        for child in children[:1] if self._scenario() == "partial-index" else children:
            if child not in self.place.manifests:
                content, _ = await self._cloud.manifest(self._must_connection, repository, child)
                self.place.manifests[child] = content
        return digest

    async def _tell(self, *, syncing: bool = False, synced: bool = False) -> None:
        answer = await self._call(
            "contact",
            loginServer=self._login_server(),
            syncing=syncing,
            synced=synced,
            statusDetails=self._complaints(),
        )
        self.config = answer.get("config", answer)

    async def _call(self, verb: str, *, instance: str | None = None, **more: Any) -> Json:
        body = {"instance": instance or self.place.instance, "version": self.place.version, **more}
        return await self._cloud.gateway(self._must_connection, verb, body)

    def _login_server(self) -> Json:
        certificate = {"type": "LocalDirectory", "location": "/var/acr/certs"} if self.place.tls else {}
        status = "Enabled" if self.place.tls else "Disabled"
        return {"host": self.place.address, "tls": {"status": status, "certificate": certificate}}

    def _complaints(self) -> list[Json]:
        if self._scenario() != "disk-full":
            return []
        return [
            {
                "type": "Disk",
                "code": "DiskError",
                "description": "There is not enough space on the disk of the connected registry.",
                "availableGib": 0,
                "totalGib": 250,
                "timestamp": self._clock.now().isoformat(),
                "correlationId": str(uuid.uuid4()),
            }
        ]

    def _strike(self) -> None:
        """Raise the error of the current scenario, if it has one."""
        scenario = self._scenario()
        if scenario == "out-of-memory":
            raise EndedError(KILLED, "OOMKilled")
        if scenario == "firewall":
            raise UnreachableError(f"dial tcp: lookup {self._must_connection.gateway}: i/o timeout")
        if scenario == "proxy":
            # Go's words where the proxy wants a password.
            raise UnreachableError(f'Get "https://{self._must_connection.gateway}/": Proxy Authentication Required')
        if scenario in {"bad-password", "token-disabled"}:
            raise DeniedError(UNAUTHORIZED, "UNAUTHORIZED", "Incorrect Password", AUTHORIZATION_PAGE)

    def _crash(self, text: str) -> None:
        self._say("ERR", text)
        self._end((1, "Error"), self.cause)

    def _end(self, ending: tuple[int, str], cause: str) -> None:
        self.previous_log, self.log = self.log, []
        self.health, self.restarts = "crashing", self.restarts + 1
        self.ending, self.cause = ending, cause
        self._retry()

    def _retry(self) -> None:
        self.next_step = self._clock.now() + timedelta(seconds=self._delay)
        self._delay = min(max(self._delay * 2, self._speed.agent_period * 10), LONGEST_BACK_OFF)

    def _wishes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        config = self.config or {}
        tokens = tuple(sorted(str(token) for token in config.get("clientTokens") or ()))
        return tuple(sorted(config.get("repositories") or ())), tokens

    @property
    def _must_connection(self) -> Connection:
        if self._connection is None:
            self._connection = parse(self.place.connection_string)
        return self._connection

    def _say(self, level: str, text: str) -> None:
        self.log = [*self.log[1 - LOG_LINES :], f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ} [{level}] {text}"]


def _children(manifest: bytes) -> list[Json]:
    """The entries of an index; none of a single manifest."""
    return list(json.loads(manifest).get("manifests", ()))


def _platform(entry: Json) -> str:
    platform = entry.get("platform") or {}
    return f"{platform.get('os')}/{platform.get('architecture')}"
