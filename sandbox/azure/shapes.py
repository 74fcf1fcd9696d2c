"""The shapes of request bodies: the types of their values by property.

The services decode a body into a type first, so a wrong value is refused before a handler runs.
"""

from typing import Any, TypeAlias

from sandbox.azure.errors import invalid

Shape: TypeAlias = type | list["Shape"] | dict[str, "Shape"]
"""A kind of value; a list of one shape; or an object's properties, where `ANY` stands for those without a name here.

A property without a shape may be anything.
"""
ANY = "*"
WORDS = {str: "a string", bool: "true or false", dict: "an object", list: "a list"}
BOOLEANS = {"true": True, "false": False}


def read(value: object, shape: Shape, path: str = "") -> Any:
    """The value in this shape, or a 400 `ArmError` that says where it is another.

    Null is accepted for any property. True and false may be strings, because az sends one of them as a string.
    """
    if isinstance(shape, dict):
        checked = _expected(value, dict, path)
        inner = {key: shape.get(key, shape.get(ANY, object)) for key in checked}
        return {
            key: None if below is None else read(below, inner[key], f"{path}.{key}".lstrip("."))
            for key, below in checked.items()
        }
    if isinstance(shape, list):
        checked = _expected(value, list, path)
        return [read(below, shape[0], f"{path}[{place}]") for place, below in enumerate(checked)]
    if shape is bool and isinstance(value, str):
        value = BOOLEANS.get(value.lower(), value)
    return _expected(value, shape, path)


def _expected(value: object, kind: type, path: str) -> Any:
    if not isinstance(value, kind):
        raise invalid(
            "The request content was invalid and could not be deserialized: "
            f"'{path or 'The body'} has to be {WORDS[kind]}.'",
            target=path or None,
        )
    return value
