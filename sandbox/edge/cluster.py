"""A Kubernetes cluster through its API, with the official client and objects as plain dicts.

Objects stay dicts because everything here is written, read and compared in the form in which Helm charts hold it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from kubernetes.aio import client, config
from kubernetes.aio.config.kube_config import ConfigNode

from sandbox.world import LOADER

Object = dict[str, Any]
DEADLINE = aiohttp.ClientTimeout(total=20)
WITHOUT_END = aiohttp.ClientTimeout(total=None, sock_connect=20)

_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Service": "/api/v1/namespaces/{}/services",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Event": "/api/v1/namespaces/{}/events",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "ExtensionConfig": "/apis/clusterconfig.azure.com/v1beta1/namespaces/{}/extensionconfigs",
}


@dataclass(eq=False)
class RefusedError(Exception):
    """The API server answered with an error status."""

    status: int
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.status} {self.reason}: {self.message}"


class UnavailableError(ConnectionError):
    """The API server can't be reached."""


class Cluster:
    """One cluster; open it before use."""

    def __init__(self, kubeconfig: str, context: str) -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._api: Any = None

    async def open(self) -> None:
        """Read the kubeconfig, without a request to the cluster.

        Raises:
            UnavailableError: there is no such file or context, or it can't be read.
        """
        try:
            content = await asyncio.to_thread(_kubeconfig, self._kubeconfig)
            # The node's path is where files that the kubeconfig names are looked for.
            node = ConfigNode("kubeconfig", content, self._kubeconfig)  # type: ignore[no-untyped-call]  # it has no types
            self._api = await config.new_client_from_config_dict(node, context=self._context)  # type: ignore[no-untyped-call]  # likewise
        except (OSError, yaml.YAMLError, config.ConfigException) as error:
            raise UnavailableError(f"{self._kubeconfig}, context {self._context}: {error}") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._api is not None:
            await self._api.close()

    async def version(self) -> str:
        """The API server's version as it gives it, without the v: 1.33.4."""
        answer = await self._call("GET", "/version")
        return str(answer["gitVersion"]).removeprefix("v")

    async def find(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """An object, or None if it or its kind doesn't exist."""
        try:
            return await self._call("GET", f"{_path(kind, namespace)}/{name}")
        except RefusedError as error:
            if error.status == 404:  # noqa: PLR2004
                return None
            raise

    async def all(self, kind: str) -> list[Object]:
        """All objects of a kind in the whole cluster."""
        answer = await self._call("GET", _path(kind, "").replace("/namespaces//", "/"))
        return list(answer.get("items") or [])

    async def create(self, manifest: Object) -> Object:
        """Create the object that the manifest describes."""
        meta = manifest["metadata"]
        return await self._call("POST", _path(manifest["kind"], meta.get("namespace", "")), body=manifest)

    async def patch(self, kind: str, name: str, namespace: str, body: Object, *, part: str = "") -> Object:
        """Merge `body` into an object or its subresource `part`."""
        path = f"{_path(kind, namespace)}/{name}" + (f"/{part}" if part else "")
        return await self._call("PATCH", path, body=body, content_type="application/merge-patch+json")

    async def delete(self, kind: str, name: str, namespace: str = "", *, at_once: bool = False) -> None:
        """Delete an object; no error when there is none. `at_once` allows no grace period."""
        options = {"gracePeriodSeconds": 0} if at_once else {"propagationPolicy": "Background"}
        try:
            await self._call("DELETE", f"{_path(kind, namespace)}/{name}", body=options)
        except RefusedError as error:
            if error.status not in {404, 409}:
                raise

    async def bind(self, pod: Object, node: str) -> None:
        """Assign a Pod to a node, as a scheduler does."""
        meta = pod["metadata"]
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        await self._call("POST", f"{_path('Pod', meta['namespace'])}/{meta['name']}/binding", body=body)

    async def watch_pods(self) -> AsyncIterator[tuple[str, Object]]:
        """Every Pod of the cluster and then every change to one: ("ADDED" | "MODIFIED" | "DELETED", Pod).

        The first is ("RESET", {}): discard earlier Pods. It ends when the server ends the watch; call it again then.
        """
        listed = await self._call("GET", "/api/v1/pods")
        yield "RESET", {}
        for pod in listed.get("items") or []:
            yield "ADDED", pod
        query = [("watch", "true"), ("resourceVersion", str(listed["metadata"].get("resourceVersion", "")))]
        response = await self._send("GET", "/api/v1/pods", query=query, deadline=WITHOUT_END)
        try:
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] != "BOOKMARK":
                    yield event["type"], event["object"]
        except aiohttp.ClientError as error:
            raise UnavailableError(str(error)) from error
        finally:
            response.close()

    async def _call(
        self, method: str, path: str, *, body: Object | None = None, content_type: str = "application/json"
    ) -> Object:
        response = await self._send(method, path, body=body, content_type=content_type)
        try:
            text = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError(str(error)) from error
        answer = _decoded(text)
        if response.status == 503:  # noqa: PLR2004
            raise UnavailableError(answer.get("message", "Service Unavailable"))
        if response.status >= 400:  # noqa: PLR2004
            raise RefusedError(
                response.status, answer.get("reason", ""), answer.get("message", text.decode("utf-8", "replace"))
            )
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
        deadline: aiohttp.ClientTimeout = DEADLINE,
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        request = await self._api.param_serialize(
            method=method,
            resource_path=path,
            query_params=query or [],
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = await self._api.call_api(*request, _request_timeout=deadline)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(str(error)) from error
        except client.ApiException as error:
            raise RefusedError(error.status or 0, error.reason or "", str(error.body)) from error
        response: aiohttp.ClientResponse = answer.response
        return response


def _kubeconfig(path: str) -> Object:
    """What a kubeconfig says now."""
    return _parsed(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _parsed(path: str, _modified: int) -> Object:
    """Parsed once for all its contexts: a thousand of them take two seconds, and each cluster has an agent."""
    content: Object = yaml.load(Path(path).read_text(encoding="utf-8"), LOADER)  # noqa: S506 - a safe loader
    return content


def _path(kind: str, namespace: str) -> str:
    return _PATHS[kind].format(namespace)


def _decoded(text: bytes) -> Object:
    try:
        answer = json.loads(text or b"{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
