"""Field management: `metadata.managedFields`, and server-side apply based on them.

Fields are followed down through objects and through lists whose items have a known merge key; other lists count as one
field.
"""

import json
from collections.abc import Iterable
from typing import Any

from sandbox.kube.patches import merge_key
from sandbox.kube.resources import Json, copied
from sandbox.kube.status import StatusError

Path = tuple[str, ...]

_SYSTEM = {
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
    "generateName",
}


def managed_after(old: Json, new: Json, manager: str, moment: str) -> list[Json]:
    """The `managedFields` of `new` after `manager` updated `old` to it; its existing entries are updated."""
    before, after = leaves(old), leaves(new)
    changed = {path for path, value in after.items() if before.get(path, _ABSENT) != value}
    entries: list[Json] = (new.get("metadata") or {}).get("managedFields") or []
    result = [_entry_without(entry, changed, after) for entry in entries]
    mine = next((entry for entry in result if (entry["manager"], entry["operation"]) == (manager, "Update")), None)
    if changed:
        owned = changed | (set(_paths(mine["fieldsV1"])) if mine else set())
        result = [entry for entry in result if entry is not mine]
        result.append(_entry(manager, "Update", new["apiVersion"], moment, owned))
    return [entry for entry in result if entry["fieldsV1"]]


def applied(old: Json | None, config: Json, manager: str, moment: str, *, force: bool) -> Json:
    """The object after `manager` applied `config` to it.

    Raises:
        StatusError: 409, if others manage fields to which the configuration gives other values.
    """
    configured = leaves(config)
    current = old or {key: config[key] for key in ("apiVersion", "kind")} | {"metadata": {}}
    entries = list((current["metadata"].get("managedFields")) or [])
    mine = next((entry for entry in entries if (entry["manager"], entry["operation"]) == (manager, "Apply")), None)
    present = leaves(current)
    differing = {path for path, value in configured.items() if path in present and present[path] != value}
    if not force:
        _refuse_conflicts(entries, mine, differing)
    others = [entry for entry in entries if entry is not mine]
    result: Json = _overlay(copied(current), config)
    owned_by_others = {path for entry in others for path in _paths(entry["fieldsV1"])}
    for path in set(_paths(mine["fieldsV1"]) if mine else ()) - set(configured) - owned_by_others:
        _drop(result, path)
    entries = [_entry_without(entry, differing, None) for entry in others]
    entries.append(_entry(manager, "Apply", config["apiVersion"], moment, configured))
    result["metadata"]["managedFields"] = [entry for entry in entries if entry["fieldsV1"]]
    return dict(result)


def _refuse_conflicts(entries: Iterable[Json], mine: Json | None, differing: set[Path]) -> None:
    fields: dict[str, list[str]] = {}
    for entry in entries:
        contested = differing & set(_paths(entry["fieldsV1"])) if entry is not mine else set()
        manager = json.dumps(entry["manager"])
        if entry["operation"] == "Update":
            manager += f" using {entry['apiVersion']} at {entry['time']}"
        for path in sorted(contested):
            fields.setdefault(manager, []).append(_path_text(path))
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path}
        for manager, paths in fields.items()
        for path in paths
    ]
    if not causes:
        return
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = [
            line for each in sorted(fields) for line in (f"conflicts with {each}:", *(f"- {p}" for p in fields[each]))
        ]
        text = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    raise StatusError(409, "Conflict", text, {"causes": causes})


class _Absent:
    pass


_ABSENT = _Absent()


def leaves(obj: Json) -> dict[Path, Any]:
    """Every field of an object that is managed separately, by its path in `fieldsV1` form."""
    collected: dict[Path, Any] = {}
    for key, value in obj.items():
        if key in {"apiVersion", "kind"}:
            continue
        inner = (
            {name: one for name, one in (value or {}).items() if name not in _SYSTEM} if key == "metadata" else value
        )
        if key != "metadata" or inner:
            _collect(inner, (f"f:{key}",), key, collected)
    return collected


def _collect(value: Any, path: Path, name: str, collected: dict[Path, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _collect(inner, (*path, f"f:{key}"), key, collected)
        return
    key_field = merge_key(name, value) if isinstance(value, list) else None
    if key_field is None:
        collected[path] = value
        return
    for item in value:
        marked = (*path, "k:" + json.dumps({key_field: item[key_field]}, separators=(",", ":")))
        _collect(item, marked, "", collected)


def _entry(manager: str, operation: str, api_version: str, moment: str, paths: Iterable[Path]) -> Json:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "time": moment,
        "fieldsType": "FieldsV1",
        "fieldsV1": _tree(paths),
    }


def _entry_without(entry: Json, removed: set[Path], present: dict[Path, Any] | None) -> Json:
    remaining = [
        path for path in _paths(entry["fieldsV1"]) if path not in removed and (present is None or path in present)
    ]
    return entry | {"fieldsV1": _tree(remaining)}


def _tree(paths: Iterable[Path]) -> Json:
    tree: Json = {}
    for path in sorted(paths):
        place = tree
        for part in path:
            place = place.setdefault(part, {})
    return tree


def _paths(tree: Json, above: Path = ()) -> list[Path]:
    paths: list[Path] = []
    for part, below in tree.items():
        paths += _paths(below, (*above, part)) if below else [(*above, part)]
    return paths


def _path_text(path: Path) -> str:
    text = ""
    for part in path:
        if part.startswith("k:"):
            ((key, value),) = json.loads(part[2:]).items()
            text += f"[{key}={json.dumps(value)}]"
        else:
            text += f".{part[2:]}"
    return text


def _overlay(current: Any, config: Any, name: str = "") -> Any:
    if isinstance(config, dict) and isinstance(current, dict):
        for key, value in config.items():
            current[key] = _overlay(current[key], value, key) if key in current else copied(value)
        return current
    if isinstance(config, list) and isinstance(current, list) and (key := merge_key(name, [*config, *current])):
        for item in config:
            match = next((one for one in current if one[key] == item[key]), None)
            if match is None:
                current.append(copied(item))
            else:
                _overlay(match, item)
        return current
    return copied(config)


def _drop(parent: Any, path: Path) -> None:
    """Remove the field at `path`, and parents that this leaves empty."""
    part, below = path[0], path[1:]
    if part.startswith("k:"):
        ((key, value),) = json.loads(part[2:]).items()
        item = next((one for one in parent if one.get(key) == value), None)
        if item is None:
            return
        if below:
            _drop(item, below)
        if not below or set(item) <= {key}:
            parent.remove(item)
        return
    name = part[2:]
    if not isinstance(parent, dict) or name not in parent:
        return
    if below:
        _drop(parent[name], below)
    if not below or parent[name] in ({}, []):
        parent.pop(name)
