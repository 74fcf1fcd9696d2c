"""Credential plugins of a kubeconfig (kubernetes.io: client-go credential plugins), with a deadline and an error.

The library's loader waits for a plugin without end, only logs its failure, and leaves its process behind.
"""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from kubernetes.aio.config.kube_config import FileOrData, KubeConfigLoader

from services.gateways.kubernetes.translation import SERVICE
from services.model.errors import Unreachable
from services.model.redaction import short

INTERACTIVE = "Always"
"""The `interactiveMode` of a plugin that can't do without a person."""
_MOST = 2**20
"""Bytes of a plugin's answer."""


class PluginLoader(KubeConfigLoader):
    """Loads a kubeconfig whose plugins may take `plugin_deadline` seconds; `location` is the kubeconfig, for errors."""

    location = ""
    plugin_deadline = 15.0
    exec_plugin_expiry: datetime | None = None

    async def load_from_exec_plugin(self) -> bool:
        """Called by the loader, and again for a credential that ends.

        Raises:
            Unreachable: its code is `CredentialPluginFailed`, `…Missing`, `…Silent` or `…Interactive`.
        """
        if self.exec_plugin_expiry is not None and self.exec_plugin_expiry > datetime.now(UTC):
            return True
        user: Any = self._user
        status = await credentials(user["exec"].value, self.location, self.plugin_deadline)
        if token := status.get("token"):
            self.token = f"Bearer {token}"
            ends = status.get("expirationTimestamp")
            self.exec_plugin_expiry = datetime.fromisoformat(ends) if isinstance(ends, str) else None
            return True
        if not (status.get("clientCertificateData") and status.get("clientKeyData")):
            raise Unreachable(SERVICE, self.location, "CredentialPluginFailed", "it gave neither token nor certificate")
        for attribute, key in (("cert_file", "clientCertificateData"), ("key_file", "clientKeyData")):
            data: Any = FileOrData(status, None, data_key_name=key, base64_file_content=False)  # type: ignore[no-untyped-call]  # the library has no types here
            setattr(self, attribute, data.as_file())
        return True


async def credentials(plugin: Mapping[str, Any], location: str, deadline: float) -> dict[str, Any]:
    """The `status` of the ExecCredential that a plugin prints. Its process is gone afterwards, however it ended.

    Raises:
        Unreachable: the message has the plugin's last words, scrubbed.
    """
    command = str(plugin.get("command"))
    if plugin.get("interactiveMode") == INTERACTIVE:
        raise Unreachable(SERVICE, location, "CredentialPluginInteractive", f"{command} asks a person")
    info = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {entry["name"]: entry["value"] for entry in plugin.get("env") or ()}
    try:
        process = await asyncio.create_subprocess_exec(
            command,
            *map(str, plugin.get("args") or ()),
            env={**os.environ, **environment, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        hint = short(str(plugin.get("installHint") or ""))
        message = f"{command}: {error.strerror}" + (f". {hint}" if hint else "")
        raise Unreachable(SERVICE, location, "CredentialPluginMissing", message) from error
    output, words = bytearray(), bytearray()
    try:
        async with asyncio.timeout(deadline), asyncio.TaskGroup() as group:
            group.create_task(_read(process.stdout, output))
            group.create_task(_read(process.stderr, words))
            group.create_task(process.wait())
    except TimeoutError:
        message = f"{command} gave no answer in {deadline:g} s{_last(words)}"
        raise Unreachable(SERVICE, location, "CredentialPluginSilent", message) from None
    finally:
        if process.returncode is None:
            # With its children: a plugin is often a script around another program.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return _status(process.returncode or 0, bytes(output), f"{command}{_last(words)}", location)


def _status(ended: int, output: bytes, words: str, location: str) -> dict[str, Any]:
    try:
        answer = json.loads(output) if not ended else {}
    except (ValueError, RecursionError):
        answer = {}
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict):
        reason = f"it ended with {ended}" if ended else "it printed no ExecCredential"
        raise Unreachable(SERVICE, location, "CredentialPluginFailed", f"{words} ({reason})")
    return status


async def _read(stream: asyncio.StreamReader | None, into: bytearray) -> None:
    while stream is not None and len(into) < _MOST and (part := await stream.read(2**16)):
        into += part


def _last(words: bytearray) -> str:
    """The last line that the plugin wrote for people."""
    lines = [line.strip() for line in words.decode(errors="replace").splitlines() if line.strip()]
    return f": {short(lines[-1])}" if lines else ""
