"""One connected cluster: its Arc agents, which install and remove extensions for Azure and report the outcome."""

import asyncio
import base64
import json
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.edge import chart, helm, pods, scenarios
from sandbox.edge.cloud import Cloud, DeniedError, Extension, UnreachableError, Wanted
from sandbox.edge.cluster import Cluster, RefusedError, UnavailableError
from sandbox.edge.kubelet import Kubelet
from sandbox.edge.programs import Programs
from sandbox.edge.runtime import Place, Runtime
from sandbox.edge.scenarios import InstallationError
from sandbox.speed import Speed

Object = dict[str, Any]
TYPE = "microsoft.containerregistry.connectedregistry"
HEARTBEAT = timedelta(minutes=1)
DISK_PRESSURE = "node.kubernetes.io/disk-pressure"
RECHECK = 0.1
"""Seconds between checks of a Deployment that isn't available yet."""
log = logging.getLogger(__name__)


@dataclass
class _Release:
    """The installation of one generation of an extension."""

    extension: Extension
    begin: datetime
    applied: bool = False
    failure: InstallationError | None = None
    outcome: str = ""
    reported: str = ""


class Agent:
    """The edge at one connected cluster. `start` it, `stop` it; everything else is for the control API."""

    def __init__(
        self,
        arm_id: str,
        name: str,
        *,
        cluster: Cluster,
        cloud: Cloud,
        clock: Clock,
        speed: Speed,
        programs: Programs,
        turns: asyncio.Semaphore,
    ) -> None:
        self.arm_id, self.name = arm_id, name
        self.offline = False
        self.scenario: str | None = None
        self._times: int | None = None
        self._cluster, self._cloud, self._clock, self._speed = cluster, cloud, clock, speed
        self._kubelet = Kubelet(cluster, clock, speed, lambda: self._runtimes, containers=programs)
        self._kubelet.trust_missing = lambda: self.scenario == "trust-missing"
        self._kubelet.pulls_throttled = lambda: self.scenario == "pull-throttled"
        self._kubelet.under_pressure = lambda: self.scenario == "node-pressure"
        self._turns = turns
        self._wanted = Wanted()
        self._releases: dict[tuple[str, bool], _Release] = {}
        """By name and whether it is being removed: an extension may be removed while its successor installs."""
        self._runtimes: dict[str, Runtime] = {}
        self._volumes: dict[str, dict[str, bytes]] = {}
        """Manifests by the instance whose volume has them."""
        self._seen: dict[str, str] = {}
        self._next_heartbeat = clock.now()
        self._prepared = False
        self._pressed = False
        """Whether the nodes show that their disks are full."""
        self._trouble = ""
        self._restless = False
        """Whether something must be checked again soon, even if the sandbox's clock is stopped."""
        self._wake = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the connections and start working."""
        await self._cluster.open()
        await self._cloud.open()
        self._revive()

    async def stop(self) -> None:
        """End abruptly, as when the machine is switched off."""
        await self._halt()
        await self._stop_runtimes(goodbye=False)
        await self._kubelet.close()
        await self._cluster.close()
        await self._cloud.close()

    async def set_offline(self, *, offline: bool) -> None:
        """Switch the whole edge off, or on again; if the link is up, its runtimes sign off first."""
        self.offline = offline
        await self._halt()
        if offline:
            await self._stop_runtimes(goodbye=True)
        else:
            self._next_heartbeat = self._clock.now()
            self._revive()

    async def set_link(self, *, up: bool) -> None:
        """Cut or restore the link to Azure."""
        self._cloud.link = up
        if not self.offline:
            await self._halt()
            self._next_heartbeat = self._clock.now()
            self._revive()

    def set_scenario(self, scenario: str | None, times: int | None = None) -> None:
        """Set a scenario, for `times` installations if that is given; None ends it."""
        self.scenario, self._times = scenario, times
        self._wake.set()

    def status(self) -> Object:
        """An overview, for the control API."""
        return {
            "id": self.arm_id,
            "name": self.name,
            "offline": self.offline,
            "link": "up" if self._cloud.link else "down",
            "scenario": self.scenario,
            "trouble": self._trouble,
            "pulls": self._kubelet.pulls(),
            "extensions": [
                {
                    "name": release.extension.name,
                    "generation": release.extension.generation,
                    "applied": release.applied,
                    "reported": release.reported,
                    "error": release.failure.message if release.failure else None,
                }
                for release in self._releases.values()
            ],
            "runtimes": [runtime.status() for runtime in self._runtimes.values()],
        }

    def _revive(self) -> None:
        self._life = asyncio.create_task(self._live())

    async def _halt(self) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
            self._life = None

    async def _live(self) -> None:
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen())
                    group.create_task(self._watch())
                    group.create_task(self._work())
            except Exception:  # the edge continues after an error of this code, and reports it
                log.exception("edge %s", self.name)
                self._trouble = "an error of the agent itself; see the log"
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        """Receive the extensions that Azure requests; the service holds the request until they change."""
        revision: str | None = None
        while True:
            try:
                orders = await self._cloud.extensions(self.arm_id, after=revision)
            except (UnreachableError, DeniedError) as error:
                self._trouble = str(error)
                revision = None
                await asyncio.sleep(max(self._speed.agent_period, 0.2))
                continue
            revision = orders.revision
            if orders.extensions != self._wanted.extensions:
                self._wanted = orders
                self._wake.set()
            if revision is None:
                await asyncio.sleep(self._speed.agent_period)

    async def _watch(self) -> None:
        """Receive all Pods and their changes."""
        while True:
            try:
                async for kind, pod in self._cluster.watch_pods():
                    self._kubelet.take(kind, pod)
                    self._wake.set()
            except (UnavailableError, RefusedError) as error:
                self._trouble = str(error)
            await asyncio.sleep(max(self._speed.agent_period, 0.2))

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            self._restless = False
            try:
                async with self._turns:
                    due = await self._pass()
                self._trouble = self._trouble if self._restless else ""
            except (UnavailableError, UnreachableError, RefusedError, DeniedError) as error:
                self._trouble = str(error)
                log.debug("edge %s: %s", self.name, error)
                due = self._later(error)
            await self._pause(due)

    async def _pause(self, until: datetime) -> None:
        """Wait until woken or until `due` on the sandbox's clock, and only briefly while something is unfinished."""
        seconds = max((until - self._clock.now()).total_seconds(), 0)
        waits = [asyncio.create_task(self._wake.wait()), asyncio.create_task(self._clock.sleep(seconds))]
        if self._restless:
            waits.append(asyncio.create_task(asyncio.sleep(max(self._speed.agent_period, RECHECK))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _pass(self) -> datetime:
        """Do what is due. Returns when something will be due again."""
        await self._prepare()
        desired = {(extension.name, extension.deleting) for extension in self._wanted.extensions}
        self._releases = {key: release for key, release in self._releases.items() if key in desired}
        await self._press(pressed=self.scenario == "node-pressure")
        dues = [await self._heartbeat()]
        dues += [await self._follow(extension) for extension in self._wanted.extensions]
        await self._follow_pods()
        if due := await self._kubelet.look():
            dues.append(due)
        await self._follow_pods()
        dues += [await self._tell(release) for release in list(self._releases.values())]
        return min(dues)

    async def _prepare(self) -> None:
        """Create what onboarding to Arc leaves in the cluster."""
        if self._prepared:
            return
        for manifest in chart.arc_agents():
            try:
                await self._cluster.create(manifest)
            except RefusedError as error:
                if error.status != helm.CONFLICT:
                    raise
        self._prepared = True

    async def _press(self, *, pressed: bool) -> None:
        """Let the nodes show that their disks are full, as their kubelets and the node controller do, or not any more.

        https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition
        """
        if pressed == self._pressed:
            return
        for node in await self._cluster.all("Node"):
            taints = [one for one in node["spec"].get("taints") or [] if one["key"] != DISK_PRESSURE]
            if pressed:
                taints.append({"key": DISK_PRESSURE, "effect": "NoSchedule"})
            word, verb = ("True", "Has") if pressed else ("False", "HasNo")
            conditions = [
                one | {"status": word, "reason": f"Kubelet{verb}DiskPressure"} if one["type"] == "DiskPressure" else one
                for one in (node.get("status") or {}).get("conditions") or []
            ]
            name = node["metadata"]["name"]
            await self._cluster.patch("Node", name, "", {"spec": {"taints": taints or None}})
            await self._cluster.patch("Node", name, "", {"status": {"conditions": conditions}}, part="status")
        self._pressed = pressed

    async def _heartbeat(self) -> datetime:
        """Send a heartbeat to Azure if it is due. Returns when the next one is due."""
        now = self._clock.now()
        if now < self._next_heartbeat:
            return self._next_heartbeat
        version, nodes = await self._cluster.version(), await self._cluster.all("Node")
        try:
            await self._cloud.heartbeat(self.arm_id, version=version, nodes=len(nodes), agents=chart.ARC_RELEASE)
        except (UnreachableError, DeniedError) as error:
            return self._later(error)
        self._next_heartbeat = now + HEARTBEAT
        return self._next_heartbeat

    def _later(self, error: Exception) -> datetime:
        """When to retry a report that Azure didn't accept."""
        self._trouble, self._restless = str(error), True
        return self._clock.now() + timedelta(seconds=max(self._speed.agent_period, 0.2))

    async def _follow(self, extension: Extension) -> datetime:
        """Do the next step of installing or removing one extension."""
        key = (extension.name, extension.deleting)
        release = self._releases.get(key)
        if release is None or release.extension != extension:
            begin = self._clock.now() + timedelta(seconds=self._speed.extension)
            release = self._releases[key] = _Release(extension, begin)
        if extension.deleting:
            earlier = self._releases.get((extension.name, False))
            if earlier is not None and earlier.extension.generation < extension.generation:
                del self._releases[(extension.name, False)]
        elif (removal := self._releases.get((extension.name, True))) and removal.reported != "Deleted":
            return self._clock.now() + timedelta(seconds=max(self._speed.agent_period, RECHECK))
        if release.begin > self._clock.now():
            return release.begin
        if extension.deleting:
            await self._remove(release)
        elif not release.applied and release.failure is None:
            await self._install(release)
        return self._clock.now() + HEARTBEAT

    async def _install(self, release: _Release) -> None:
        extension = release.extension
        # Write the Arc agents' object for an extension.
        manifest = chart.extension_config(extension)
        try:
            await self._cluster.create(manifest)
        except RefusedError as error:
            if error.status != helm.CONFLICT:
                raise
            body = {"metadata": {"annotations": manifest["metadata"]["annotations"]}, "spec": manifest["spec"]}
            await self._cluster.patch("ExtensionConfig", extension.name, chart.ARC, body)
        if extension.type != TYPE:
            release.applied = True
            return
        try:
            await helm.install(self._cluster, extension, self.scenario)
        except InstallationError as failure:
            release.failure = failure
            if self.scenario in scenarios.INSTALL and self._times is not None:
                self._times -= 1
                if self._times <= 0:
                    self.scenario = self._times = None
        else:
            release.applied = True

    async def _remove(self, release: _Release) -> None:
        extension = release.extension
        if release.outcome:
            return
        for pod in self._kubelet.registry_pods(extension.namespace):
            await self._stop_runtime(pod["metadata"]["uid"])
        await helm.uninstall(self._cluster, extension)
        await self._cluster.delete("ExtensionConfig", extension.name, chart.ARC)
        release.outcome = "Deleted"

    async def _tell(self, release: _Release) -> datetime:
        """Send reports that are due. Returns when to check this release again."""
        try:
            await self._judge(release)
            word = release.outcome or ("" if release.extension.deleting else "Installing")
            if word != release.reported:
                await self._report(release, word)
        except (UnreachableError, DeniedError) as error:
            return self._later(error)
        if release.applied and not release.outcome:
            self._restless = True
        return self._clock.now() + HEARTBEAT

    async def _judge(self, release: _Release) -> None:
        """Determine the outcome of an installation, if it has ended."""
        if release.outcome or release.extension.deleting:
            return
        if release.failure is not None:
            release.outcome = "Failed"
            await self._config_status(release, release.failure.message)
        elif release.applied and await self._works(release.extension):
            release.outcome = "Succeeded"
            await self._config_status(release, "")

    async def _works(self, extension: Extension) -> bool:
        """Whether Helm stops waiting: the Deployment is available, or its Pod finds the registry already activated."""
        if extension.type != TYPE:
            return True
        checksum = chart.runtime(extension)["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for pod in self._kubelet.registry_pods(extension.namespace):
            runtime = self._runtimes.get(pod["metadata"]["uid"])
            if runtime is None or pods.annotations(pod).get("checksum/config") != checksum:
                continue
            if runtime.health == "crashing" and runtime.cause == "ALREADY_ACTIVATED":
                return True
            if runtime.health == "ready":
                deployment = await self._cluster.find("Deployment", chart.REGISTRY, extension.namespace) or {}
                return bool((deployment.get("status") or {}).get("availableReplicas"))
        return False

    async def _config_status(self, release: _Release, message: str) -> None:
        extension = release.extension
        status = {
            "status": release.outcome,
            "message": message,
            "extensionVersion": chart.version(extension),
            "configAppliedTime": pods.stamp(self._clock.now()),
        }
        try:
            await self._cluster.patch("ExtensionConfig", extension.name, chart.ARC, {"status": status}, part="status")
        except RefusedError as error:
            log.debug("edge %s: %s", self.name, error)

    async def _report(self, release: _Release, state: str) -> None:
        details: dict[str, Any] = {}
        if release.failure is not None:
            details = release.failure.report
        elif state == "Succeeded":
            details = {"currentVersion": chart.version(release.extension)}
        await self._cloud.report(self.arm_id, release.extension, state, **details)
        release.reported = state

    async def _follow_pods(self) -> None:
        """Keep one runtime for each started Pod of a connected registry."""
        started: dict[str, tuple[Extension, Object]] = {}
        # Of two releases in one namespace, the one that didn't fail owns the Pods: it comes last and wins.
        for release in sorted(self._releases.values(), key=lambda one: one.failure is None):
            if release.outcome == "Deleted":
                continue
            for pod in self._kubelet.registry_pods(release.extension.namespace):
                if self._kubelet.started(pod) and not pod["metadata"].get("deletionTimestamp"):
                    started[pod["metadata"]["uid"]] = (release.extension, pod)
        for uid in self._runtimes.keys() - started.keys():
            await self._stop_runtime(uid)
        for uid, (extension, _) in started.items():
            if uid not in self._runtimes:
                await self._start_runtime(uid, extension)
            await self._keep(uid, extension)

    async def _start_runtime(self, uid: str, extension: Extension) -> None:
        namespace = extension.namespace
        secret = await self._cluster.find("Secret", chart.CONNECTION_SECRET, namespace)
        claim = await self._cluster.find("PersistentVolumeClaim", chart.CLAIM, namespace)
        service = await self._cluster.find("Service", chart.REGISTRY, namespace)
        if secret is None or claim is None or service is None:
            return
        notes = claim["metadata"].get("annotations") or {}
        if chart.INSTANCE not in notes:
            notes = {**notes, chart.INSTANCE: str(uuid.uuid4())}
            await self._note(namespace, {chart.INSTANCE: notes[chart.INSTANCE]})
        encoded = secret["data"].get("ACR_REGISTRY_CONNECTION_STRING", "")
        place = Place(
            connection_string=base64.b64decode(encoded).decode("utf-8", "replace"),
            instance=notes[chart.INSTANCE],
            version=chart.version(extension),
            address=service["spec"]["clusterIP"],
            tls=not chart.flag(extension.settings, "httpEnabled", default=False),
            content=json.loads(notes.get(chart.CONTENT, "{}")),
            manifests=self._volumes.setdefault(notes[chart.INSTANCE], {}),
        )
        runtime = self._runtimes[uid] = Runtime(
            place,
            cloud=self._cloud,
            clock=self._clock,
            speed=self._speed,
            scenario=lambda: self.scenario,
            changed=self._wake.set,
        )
        runtime.start()

    async def _keep(self, uid: str, extension: Extension) -> None:
        """Write new content to the volume, and let waiting pulls try again."""
        runtime = self._runtimes.get(uid)
        if runtime is None:
            return
        fingerprint = json.dumps([runtime.content, (runtime.config or {}).get("clientTokens"), runtime.health])
        if fingerprint != self._seen.get(uid):
            self._seen[uid] = fingerprint
            self._kubelet.pull_again()
            await self._note(extension.namespace, {chart.CONTENT: json.dumps(runtime.content)})

    async def _note(self, namespace: str, notes: dict[str, str]) -> None:
        body = {"metadata": {"annotations": notes}}
        await self._cluster.patch("PersistentVolumeClaim", chart.CLAIM, namespace, body)

    async def _stop_runtime(self, uid: str, *, goodbye: bool = True) -> None:
        self._seen.pop(uid, None)
        if runtime := self._runtimes.pop(uid, None):
            await runtime.stop(goodbye=goodbye)

    async def _stop_runtimes(self, *, goodbye: bool) -> None:
        for uid in list(self._runtimes):
            await self._stop_runtime(uid, goodbye=goodbye)
