"""The patch types: JSON patch (RFC 6902), merge patch (RFC 7386) and strategic merge patch."""

from collections.abc import Callable
from typing import Any

from sandbox.kube.resources import Json, copied
from sandbox.kube.status import StatusError, bad_request

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "conditions": ("type",),
    "addresses": ("type",),
    "ownerReferences": ("uid",),
    "hostAliases": ("ip",),
    "taints": ("key",),
    "topologySpreadConstraints": ("topologyKey",),
    "ports": ("containerPort", "port"),
}
"""List fields whose items a strategic merge matches, by the key that identifies an item; other lists are replaced."""
SETS = ("finalizers",)


def patched(current: Json, patch: Any, how: str) -> Json:
    """The object after the patch.

    Raises:
        StatusError: 400 or 422, when the patch can't be applied.
    """
    if how == JSON_PATCH:
        if not isinstance(patch, list):
            raise bad_request(
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
            )
        box: Json = {"": copied(current)}
        for step in patch:
            _step(box, step)
        return dict(box[""])
    if not isinstance(patch, dict):
        raise bad_request(f"error decoding patch: a patch of type {how} is an object")
    merged = merge(current, patch) if how == MERGE_PATCH else strategic(current, patch)
    return dict(merged)


def merge(current: Any, patch: Any) -> Any:
    """RFC 7386: objects are merged, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return copied(patch)
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(current: Any, patch: Any) -> Any:
    """Like a merge, but lists of named items are merged item by item; directives begin with `$`."""
    if not isinstance(patch, dict):
        return copied(patch)
    if patch.get("$patch") == "replace":
        return {key: copied(value) for key, value in patch.items() if key != "$patch"}
    result = dict(current) if isinstance(current, dict) else {}
    if "$retainKeys" in patch:
        result = {key: value for key, value in result.items() if key in patch["$retainKeys"]}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [item for item in result.get(name) or [] if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            result.pop(key, None)
        elif isinstance(value, list):
            result[key] = _strategic_list(key, result.get(key) or [], value)
        else:
            result[key] = strategic(result.get(key), value)
    return _in_order(result, current if isinstance(current, dict) else {}, patch)


def _strategic_list(name: str, current: list[Any], patch: list[Any]) -> list[Any]:
    if any(isinstance(item, dict) and item == {"$patch": "replace"} for item in patch):
        return [copied(item) for item in patch if item != {"$patch": "replace"}]
    if name in SETS:
        return _woven(patch, [item for item in current if item not in patch], current)
    key = merge_key(name, [*patch, *current])
    if key is None:
        return copied(patch)
    result = list(current)
    for item in patch:
        place = next((at for at, known in enumerate(result) if known.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            result = [known for known in result if known.get(key) != item.get(key)]
        elif place is None:
            result.append(strategic({}, item))
        else:
            result[place] = strategic(result[place], item)
    keys = [item.get(key) for item in patch]
    return _in_place(result, keys, current, key)


def merge_key(name: str, items: list[Any]) -> str | None:
    """The key that identifies items of the list field `name`; None if the list is replaced as a whole."""
    for key in MERGE_KEYS.get(name, ()):
        if items and all(isinstance(item, dict) and (key in item or "$patch" in item) for item in items):
            return key
    return None


def _in_place(items: list[Any], keys: list[Any], before: list[Any], key: str | None) -> list[Any]:
    """Items in the patch's order, with the other items in their former places."""

    def known_by(item: Any) -> Any:
        return item.get(key) if key else item

    named = sorted((item for item in items if known_by(item) in keys), key=lambda item: keys.index(known_by(item)))
    others = [item for item in items if known_by(item) not in keys]
    return _woven(named, others, [known_by(item) for item in before], known_by)


def _woven(
    named: list[Any], others: list[Any], before: list[Any], known_by: Callable[[Any], Any] = lambda item: item
) -> list[Any]:
    """Both lists as one (apimachinery's `mergeSortedSlice`): by their former positions, new items first."""
    ours, right, result = list(named), list(others), []
    while ours and right:
        first, second = known_by(ours[0]), known_by(right[0])
        later = first in before and second in before and before.index(first) > before.index(second)
        result.append((right if later else ours).pop(0))
    return [*result, *ours, *right]


def _in_order(result: Json, current: Json, patch: Json) -> Json:
    for directive, order in patch.items():
        if not directive.startswith("$setElementOrder/"):
            continue
        name = directive.partition("/")[2]
        items = result.get(name) or []
        key = merge_key(name, items)
        keys = [item.get(key) if isinstance(item, dict) and key else item for item in order]
        result[name] = _in_place(items, keys, current.get(name) or [], key)
    return result


def _step(box: Json, step: Any) -> None:
    try:
        operation, path = step["op"], _pointer(step["path"])
        if operation == "test":
            if _get(box, path) != step.get("value"):
                raise _refused()
        elif operation in {"add", "replace"}:
            if operation == "replace":
                _get(box, path)
            _set(box, path, copied(step.get("value")), insert=operation == "add")
        elif operation == "remove":
            _remove(box, path)
        elif operation in {"move", "copy"}:
            source = _pointer(step["from"])
            value = copied(_get(box, source))
            if operation == "move":
                _remove(box, source)
            _set(box, path, value, insert=True)
        else:
            raise _refused()
    except (KeyError, IndexError, ValueError, TypeError):
        raise _refused() from None


def _refused() -> StatusError:
    """Like the API server's, the text doesn't say which operation of the patch failed."""
    return StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def _pointer(path: str) -> list[str]:
    return ["", *(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])]


def _get(value: Any, path: list[str]) -> Any:
    for part in path:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def _set(box: Any, path: list[str], value: Any, *, insert: bool) -> None:
    parent, last = _get(box, path[:-1]), path[-1]
    if not isinstance(parent, list):
        parent[last] = value
    elif last == "-":
        parent.append(value)
    elif insert:
        parent.insert(int(last), value)
    else:
        parent[int(last)] = value


def _remove(box: Any, path: list[str]) -> None:
    parent, last = _get(box, path[:-1]), path[-1]
    del parent[int(last) if isinstance(parent, list) else last]
