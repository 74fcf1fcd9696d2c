"""The world file: what exists when the sandbox starts. It is read and checked before anything listens."""

import ipaddress
from collections.abc import Container
from pathlib import Path
from typing import Any

import yaml

World = dict[str, Any]
CLOUDS = ("public", "china", "us-government")
DEFAULT = Path(__file__).with_name("world.yaml")
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C takes a tenth of the time; not every build of the library has it."""


class WorldError(Exception):
    """The file can't be used; the text names the key."""


def load(path: Path | None = None) -> World:
    """Read a world file, by default the bundled one. Sections that it omits are taken from the default.

    Raises:
        WorldError: it can't be read, or a key is missing, unknown, of a wrong type, or refers to something absent.
    """
    default = _read(DEFAULT)
    world = default if path is None else default | _read(path)
    sections = ", ".join(default)
    unknown = [f"{key}: unknown key; the top level has {sections}." for key in world if key not in default]
    for problem in unknown or _compared(world, _SHAPE, "") or _references(world):
        raise WorldError(problem)
    return world


def only(world: World, clusters: Container[str]) -> World:
    """The same world with only these Kubernetes clusters and their Azure resources."""
    azure, kube = world["azure"], world["kube"]
    connected = [one for one in azure["connected_clusters"] if one["kube"] in clusters]
    chosen = [one for one in kube["clusters"] if one["name"] in clusters]
    return world | {"azure": azure | {"connected_clusters": connected}, "kube": kube | {"clusters": chosen}}


def _read(path: Path) -> World:
    try:
        world = yaml.load(path.read_text(encoding="utf-8"), LOADER)  # noqa: S506 - both are safe loaders
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WorldError(f"{path} is not YAML: {error}") from error
    if not isinstance(world, dict):
        raise WorldError(f"{path}: the whole file must be a mapping with the keys slack, azure and kube.")
    return world


_SHAPE: dict[str, Any] = {
    "slack": {
        "workspace": {"id": str, "domain": str, "name": str},
        "app": {
            "id": str,
            "name": str,
            "bot_user": str,
            "bot_id": str,
            "bot_token": str,
            "app_token": str,
            "signing_secret": str,
        },
        "people": [{"id": str, "name": str}],
        "groups?": [{"id": str, "handle": str, "members": list}],
        "channels": [{"id": str, "name": str, "members": list}],
    },
    "azure": {
        "cloud?": str,
        "tenant": str,
        "subscription": {"id": str, "name": str},
        "principals": [{"client_id": str, "client_secret?": str}],
        "resource_groups": [{"name": str, "location": str}],
        "providers?": dict,
        "registries": [{"name": str, "resource_group": str, "location": str, "sku": str}],
        "connected_clusters": [{"name": str, "resource_group": str, "location": str, "kube?": str, "agent_key?": str}],
    },
    "kube": {"clusters": [{"name": str, "version": str, "service_cidrs": list, "nodes": [{"name": str, "arch": str}]}]},
}
_KINDS: dict[type, str] = {str: "a text", list: "a list", dict: "a mapping"}


def _compared(value: Any, shape: Any, where: str) -> list[str]:
    """Where a value differs from its shape: a type, a mapping of keys, or a list with one shape for all items.

    A key with a question mark may be absent or null; keys that the shape doesn't name are left to the parts.
    """
    if isinstance(shape, type):
        return [] if isinstance(value, shape) else [f"{where} must be {_KINDS[shape]}, but is {value!r}."]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} must be a list, but is {value!r}."]
        return [text for index, item in enumerate(value) for text in _compared(item, shape[0], f"{where}[{index}]")]
    if not isinstance(value, dict):
        return [f"{where} must be a mapping, but is {value!r}."]
    problems = []
    for name, inner in shape.items():
        key, optional = name.rstrip("?"), name.endswith("?")
        path = f"{where}.{key}" if where else key
        if value.get(key) is not None:
            problems += _compared(value[key], inner, path)
        elif not optional:
            problems.append(f"{path} is missing.")
    return problems


def _references(world: World) -> list[str]:
    """Names that refer to nothing, and invalid addresses."""
    cloud = world["azure"].get("cloud", CLOUDS[0])
    if cloud not in CLOUDS:
        return [f"azure.cloud is {cloud!r}; it must be one of {', '.join(CLOUDS)}."]
    clusters = {cluster["name"] for cluster in world["kube"]["clusters"]}
    groups = {group["name"].lower() for group in world["azure"]["resource_groups"]}
    problems = [
        f"azure.connected_clusters[{index}].kube names {cluster['kube']!r}, which is not in kube.clusters."
        for index, cluster in enumerate(world["azure"]["connected_clusters"])
        if cluster.get("kube") is not None and cluster["kube"] not in clusters
    ]
    problems += [
        f"azure.{kind}[{index}].resource_group names {item['resource_group']!r}, which is not in azure.resource_groups."
        for kind in ("registries", "connected_clusters")
        for index, item in enumerate(world["azure"][kind])
        if item["resource_group"].lower() not in groups
    ]
    for index, cluster in enumerate(world["kube"]["clusters"]):
        for place, cidr in enumerate(cluster["service_cidrs"]):
            if not _is_network(cidr):
                problems.append(f"kube.clusters[{index}].service_cidrs[{place}] is not a network: {cidr!r}.")
    return problems


def _is_network(text: Any) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return isinstance(text, str)
