"""From a kubeconfig's context to a client that is ready to ask."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.incluster_config import InClusterConfigLoader
from kubernetes.aio.config.kube_config import ConfigNode

from services.gateways.answers import BoundedResponse, no_redirects
from services.gateways.kubernetes.plugins import PluginLoader
from services.gateways.kubernetes.translation import SERVICE
from services.gateways.proxies import is_direct
from services.model.errors import Unreachable
from services.model.redaction import scrub

IN_CLUSTER = "in-cluster"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a Pod has its account's token and its cluster's authority (kubernetes.io, accessing the API from a Pod)."""
_PLUGINS_SHARE = 0.75
"""Of the time for a connection: what a plugin says must be told before that ends."""
_MOST_NAMES = 10
"""Contexts that an error lists."""
_FILES = ("client-certificate", "client-key", "certificate-authority", "tokenFile")
_LISTS = ("clusters", "contexts", "users")
_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def place(kubeconfig: str, environment: Mapping[str, str]) -> str:
    """The kubeconfig that is meant: the given one, `KUBECONFIG`, the home folder's, or `IN_CLUSTER`.

    Raises:
        Unreachable: there is none at all.
    """
    if kubeconfig:
        return str(Path(kubeconfig).expanduser())
    if environment.get("KUBECONFIG"):
        return environment["KUBECONFIG"]
    home = Path(environment.get("HOME", "~")).expanduser() / ".kube" / "config"
    if home.is_file():
        return str(home)
    if environment.get("KUBERNETES_SERVICE_HOST"):
        return IN_CLUSTER
    raise Unreachable(SERVICE, str(home), "KubeconfigMissing", "no kubeconfig, and not inside a cluster")


def version(location: str) -> tuple[int, ...]:
    """Changes when the kubeconfig does, or a file that it names: somebody has renewed a credential."""
    stamps: list[int] = []
    for file in [Path(part) for part in location.split(":") if part]:
        if file.is_file():
            modified = _modified(file)
            stamps += [modified, *(_modified(Path(name)) for name in _named_files(str(file), modified))]
    return tuple(stamps)


def _modified(file: Path) -> int:
    """When a file was last changed; 0 while there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=16)
def _content(kubeconfig: str, _modified: int) -> Any:
    """What a kubeconfig says, parsed once for all its contexts: a parser in Python takes a second for 500 of them."""
    return yaml.load(Path(kubeconfig).read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - both are safe loaders


@lru_cache(maxsize=256)
def _named_files(kubeconfig: str, modified: int) -> tuple[str, ...]:
    """Certificates, keys and tokens that a kubeconfig names; none for one that can't be read: opening it says so."""
    try:
        content = _content(kubeconfig, modified)
        entries = [entry["user"] for entry in content.get("users") or ()]
        entries += [entry["cluster"] for entry in content.get("clusters") or ()]
        names = [entry[key] for entry in entries for key in _FILES if entry.get(key)]
        return tuple(str(Path(kubeconfig).parent / name) for name in names)
    except (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError):
        return ()


def api_server(location: str, context: str) -> str:
    """The address that a context of a kubeconfig leads to; nobody is asked. Empty for the bot's own cluster.

    Raises:
        Unreachable: its code is `KubeconfigMissing`, `KubeconfigInvalid`, `ContextMissing` or `ContextUnset`.
    """
    if location == IN_CLUSTER:
        return ""
    try:
        content = _merged(_files(location))
        name = _chosen(content, context, location)
        entry = content["contexts"].get(name)
        cluster = content["clusters"].get(entry["context"]["cluster"]) if entry else None
        if cluster is None:
            raise Unreachable(SERVICE, f"{location} {context}".strip(), "ContextMissing")
        return str(cluster["cluster"]["server"])
    except (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreachable(SERVICE, location, "KubeconfigInvalid", scrub(str(error))) from error


def token_expiry(location: str, context: str) -> datetime | None:
    """When the token of a context expires, by its own words; nobody is asked.

    None without a token, and for one that is no JWT: those of service accounts are.
    """
    if location == IN_CLUSTER:
        return None
    try:
        content = _merged(_files(location))
        name = _chosen(content, context, location)
        entry = content["users"][content["contexts"][name]["context"]["user"]]
        user = entry.value["user"]
        token = user.get("token") or (Path(entry.path).parent / user["tokenFile"]).read_text(encoding="utf-8")
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (Unreachable, ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, LookupError):
        return None


@dataclass(frozen=True)
class Pod:
    """What the bot finds in its own Pod, if it runs in one: the variables, and the folder of its service account."""

    environment: Mapping[str, str]
    account: Path = SERVICE_ACCOUNT


async def client(location: str, context: str, pod: Pod, *, connections: int, deadline: float) -> ApiClient:
    """A client for one context (empty: the only one), of so many connections; nothing is asked of the cluster yet.

    A credential plugin gets most of the `deadline`, in seconds. `pod` is where `IN_CLUSTER` leads.

    Raises:
        Unreachable: its code is one of `api_server` or of `plugins`.
    """
    configuration = Configuration()
    try:
        if location == IN_CLUSTER:
            loader = InClusterConfigLoader(  # type: ignore[no-untyped-call]  # the library has no types here
                str(pod.account / "token"), str(pod.account / "ca.crt"), environ=pod.environment
            )
            loader.load_and_set(configuration)  # type: ignore[no-untyped-call]  # likewise
        else:
            await _load(location, context, configuration, deadline)
        # Extension attributes that the library looks for; its own type does not declare them.
        extended: Any = configuration
        extended.client_session_kwargs = {
            "response_class": BoundedResponse,
            "trust_env": not is_direct(configuration.host, os.environ),
        }
        extended.trace_configs = [no_redirects()]
        configuration.connection_pool_maxsize = connections
        return ApiClient(configuration=configuration)
    except (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # The loader has one exception of its own and lets the parser's and the file system's through.
        raise Unreachable(SERVICE, location, "KubeconfigInvalid", scrub(str(error))) from error


async def _load(location: str, context: str, configuration: Configuration, deadline: float) -> None:
    content = _merged(_files(location))
    context = _chosen(content, context, location)
    try:
        # Without a base path, each entry's files are looked for beside its kubeconfig.
        node = ConfigNode("kubeconfig", _narrowed(content, context))  # type: ignore[no-untyped-call]  # likewise
        loader = PluginLoader(node, context, config_base_path=None)  # type: ignore[no-untyped-call]  # likewise
        loader.location, loader.plugin_deadline = location, deadline * _PLUGINS_SHARE
        await loader.load_and_set(configuration)  # type: ignore[no-untyped-call]  # likewise
    except ConfigException as error:
        missing = "contexts" in str(error) and "name" in str(error)
        code = "ContextMissing" if missing else "KubeconfigInvalid"
        raise Unreachable(SERVICE, f"{location} {context}".strip(), code, scrub(str(error))) from error

    async def refresh(configuration: Configuration) -> None:
        await loader.load_from_exec_plugin()
        configuration.api_key["BearerToken"] = loader.token

    if loader.exec_plugin_expiry is not None:
        configuration.refresh_api_key_hook = refresh  # type: ignore[assignment]  # declared as None


def _files(location: str) -> list[Path]:
    files = [file for file in map(Path, location.split(":")) if file.is_file()]
    if not files:
        raise Unreachable(SERVICE, location, "KubeconfigMissing", "there is no such file")
    return files


def _chosen(content: Any, context: str, location: str) -> str:
    """The context that is meant; the kubeconfig's current one is merely what somebody worked with last."""
    names = [str(name) for name in content["contexts"]]
    if context or len(names) == 1:
        return context or names[0]
    if not names:
        raise Unreachable(SERVICE, location, "KubeconfigInvalid", "it has no context")
    hidden = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    contexts = ", ".join([*sorted(names)[:_MOST_NAMES], *hidden])
    raise Unreachable(SERVICE, location, "ContextUnset", contexts, reason="context")


def _narrowed(content: Any, context: str) -> dict[str, Any]:
    """What a context needs, with lists again: the loader goes through them, and each cluster of a fleet is loaded."""
    entry = content["contexts"].get(context)
    needs = entry["context"].value if entry else {}
    names = {"contexts": context, "clusters": needs.get("cluster"), "users": needs.get("user")}
    lists = {kind: [content[kind][name]] if name in content[kind] else [] for kind, name in names.items()}
    return {**content, **lists}


def _merged(files: list[Path]) -> Any:
    """Kubeconfigs as one, merged as by kubectl: of values with the same name the first counts. Entries are by name.

    https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
    """
    return _merged_versions(tuple((str(file), _modified(file)) for file in files))


@lru_cache(maxsize=16)
def _merged_versions(files: tuple[tuple[str, int], ...]) -> Any:
    merged: dict[str, Any] = {}
    entries: dict[str, dict[str, Any]] = {name: {} for name in _LISTS}
    for file, modified in files:
        content = _content(file, modified)
        merged = content | {key: value for key, value in merged.items() if value}
        for name in _LISTS:
            for entry in content.get(name) or ():
                node: Any = ConfigNode(f"{file}/{entry['name']}", entry, file)  # type: ignore[no-untyped-call]  # likewise
                entries[name].setdefault(entry["name"], node)
    return merged | entries
