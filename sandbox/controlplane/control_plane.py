"""One etcd, and for each cluster an API server and a controller manager (flags as measured on Kubernetes 1.37)."""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.controlplane.api import Api
from sandbox.controlplane.processes import Process, StartError, free_port
from sandbox.kube.kubeconfig import by_token, kubeconfig, token, write
from sandbox.kube.rbac import AUTHENTICATED, User
from sandbox.tls import Authority

PATIENCE = 60.0
"""Seconds within which a program has to be ready; it takes two on an idle machine."""
POLL = 0.05
ADMIN = "admin"
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": [ADMIN, "system:anonymous", "system:apiserver"]},
        {"level": "Metadata"},
    ],
}
"""The audit policy: requests are logged for all users but the administrator and the control plane itself."""


@dataclass
class Running:
    """One cluster's programs and how to reach them."""

    name: str
    url: str
    folder: Path
    server: Process
    manager: Process | None
    api: Api

    @property
    def audit_log(self) -> Path:
        """One JSON object a line: who asked for what, and how it ended."""
        return self.folder / "audit.log"


@dataclass
class ControlPlane:
    """`start` it, `add` clusters, `stop` it. Everything that it writes is under `folder`.

    `authority` issues the API servers' certificates; `programs` is the folder of the three programs.
    """

    programs: Path
    folder: Path
    authority: Authority
    host: str = "127.0.0.1"
    clusters: dict[str, Running] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._etcd: Process | None = None
        self._etcd_url = ""

    async def start(self) -> None:
        """Start an empty etcd, even in a folder that was used before, and write what all API servers share."""
        await asyncio.to_thread(shutil.rmtree, self.folder / "etcd", ignore_errors=True)
        await asyncio.to_thread(self._write_shared_files)
        client, peer = (f"http://{self.host}:{free_port(self.host)}" for _ in range(2))
        self._etcd_url = client
        self._etcd = Process(
            self.programs / "etcd",
            [
                f"--data-dir={self.folder / 'etcd'}",
                "--unsafe-no-fsync",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
                "--log-level=warn",
            ],
            self.folder,
        )
        await self._etcd.start()

    async def add(self, name: str, ranges: Sequence[str], *, port: int = 0, controllers: bool = True) -> Running:
        """Start a cluster; it is ready when this returns. `ranges`: one Service range, or one of each family.

        Raises:
            StartError: a program ended, or didn't become ready.
        """
        folder = self.folder / name
        (folder / "certificates").mkdir(parents=True, exist_ok=True)
        port = port or free_port(self.host)
        url = f"https://{self.host}:{port}"
        server = Process(self.programs / "kube-apiserver", self._server_flags(name, ranges, port), folder)
        trust = ssl.create_default_context(cafile=self.authority.ca_file)
        running = Running(name, url, folder, server, None, Api(url, token(ADMIN), trust))
        self.clusters[name] = running
        await server.start()
        await self._until_ready(running)
        if controllers:
            file = running.folder / "kubeconfig"
            certificate = await asyncio.to_thread(self.authority.ca_file.read_bytes)
            content = kubeconfig({running.name: (running.url, certificate)}) | {
                "current-context": f"{running.name}-{ADMIN}"
            }
            await asyncio.to_thread(write, file, content)
            running.manager = Process(
                self.programs / "kube-controller-manager",
                [
                    f"--kubeconfig={file}",
                    f"--service-account-private-key-file={self._account_key}",
                    f"--root-ca-file={self.authority.ca_file}",
                    "--leader-elect=false",
                    "--secure-port=0",
                    "--controllers=*,-nodeipam,-node-lifecycle-controller",
                    "--kube-api-qps=500",
                    "--kube-api-burst=1000",
                    "--pvclaimbinder-sync-period=1s",
                ],
                running.folder,
            )
            await running.manager.start()
        return running

    async def stop(self) -> None:
        """End everything."""
        await asyncio.gather(*(self._stop_cluster(one) for one in self.clusters.values()))
        if self._etcd is not None:
            await self._etcd.stop()

    async def power(self, name: str, *, on: bool) -> None:
        """Switch a cluster's API server off, as if its machine lost power, or on again."""
        running = self.clusters[name]
        if not on:
            await running.server.kill()
        elif not running.server.pid:
            await running.server.start()
            await self._until_ready(running)

    async def forget(self, name: str) -> None:
        """Make a cluster forget all versions but the newest, and restart its API server.

        Earlier watches and page tokens are then refused as too old.
        """
        running = self.clusters[name]
        newest = (await running.api.get("/api/v1/namespaces"))["metadata"]["resourceVersion"]
        async with aiohttp.ClientSession() as session:
            body = {"revision": newest, "physical": True}
            async with session.post(f"{self._etcd_url}/v3/kv/compaction", json=body) as answer:
                answer.raise_for_status()
        await self.power(name, on=False)
        await self.power(name, on=True)

    def memory(self) -> Mapping[str, int]:
        """Resident memory of every program, in MiB (Linux; 0 elsewhere)."""
        processes = [self._etcd] if self._etcd else []
        for running in self.clusters.values():
            processes += [running.server] + ([running.manager] if running.manager else [])
        names = [process.name for process in processes]
        return {
            f"{name}-{at}": _resident(process.pid)
            for at, (name, process) in enumerate(zip(names, processes, strict=True))
        }

    async def _stop_cluster(self, running: Running) -> None:
        await running.api.close()
        if running.manager is not None:
            await running.manager.kill()  # it has no state to lose
        await running.server.kill()

    async def _until_ready(self, running: Running) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not await running.api.is_ready():
                    running.server.check()
                    await asyncio.sleep(POLL)
                return
        raise StartError(
            f"{running.name}: the API server wasn't ready after {PATIENCE:g} s.\n{running.server.last_words()}"
        )

    def _server_flags(self, name: str, ranges: Sequence[str], port: int) -> list[str]:
        folder = self.folder / name
        return [
            f"--etcd-servers={self._etcd_url}",
            f"--etcd-prefix=/{name}",
            f"--secure-port={port}",
            f"--bind-address={self.host}",
            f"--advertise-address={self.host}",
            f"--cert-dir={folder / 'certificates'}",
            f"--tls-cert-file={self.authority.server_file}",
            f"--tls-private-key-file={self.authority.server_file}",
            f"--kubelet-certificate-authority={self.authority.ca_file}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-cluster-ip-range={','.join(ranges)}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self._tokens}",
            f"--service-account-key-file={self._account_key}",
            f"--service-account-signing-key-file={self._account_key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--audit-policy-file={self._audit_policy}",
            f"--audit-log-path={folder / 'audit.log'}",
            "--endpoint-reconciler-type=none",
            "--enable-priority-and-fairness=false",
        ]

    @property
    def _tokens(self) -> Path:
        return self.folder / "tokens.csv"

    @property
    def _account_key(self) -> Path:
        return self.folder / "service-accounts.pem"

    @property
    def _audit_policy(self) -> Path:
        return self.folder / "audit-policy.yaml"

    def _write_shared_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        lines = [_token_line(secret, user) for secret, user in by_token().items()]
        for path, content in (
            (self._account_key, pem.decode()),
            (self._tokens, "".join(lines)),
            (self._audit_policy, yaml.safe_dump(AUDIT_POLICY)),
        ):
            path.touch(mode=0o600)
            path.write_text(content)


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)


def _token_line(secret: str, user: User) -> str:
    """A line of the token file; an empty list of groups would mean one group without a name."""
    groups = ",".join(group for group in user.groups if group != AUTHENTICATED)
    return ",".join([secret, user.name, user.uid, *([f'"{groups}"'] if groups else [])]) + "\n"
