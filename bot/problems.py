"""Problems in the configuration: all of them are reported at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.kit.nearest import nearest

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "too_short": "needs at least one entry",
    "tuple_type": "has to be a list, such as [a, b]",
    "list_type": "has to be a list, such as [a, b]",
    "dict_type": "has to be a mapping of keys to values",
    "model_type": "has to be a mapping of keys to values",
    "string_type": "has to be text",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "time_delta_type": "has to be a duration, such as PT3H",
    "time_delta_parsing": "has to be a duration, such as PT3H",
    "literal_error": "has to be {expected}",
    "string_pattern_mismatch": "has to match {pattern}",
    "greater_than_equal": "has to be {ge} or more",
    "greater_than": "has to be more than {gt}",
    "less_than_equal": "has to be {le} or less",
}
"""By pydantic's error types (docs.pydantic.dev, Validation Errors), whose own messages speak of Python."""


@dataclass(frozen=True)
class Problem:
    """`where` is a setting's name, or a file and line; `what` continues the sentence."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: `; did you mean …?`, or nothing when no valid name is close."""
    near = nearest(name, valid, most=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def sentence(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors, as the rest of a sentence that begins with the field. It never repeats the value."""
    words = _WORDS.get(error["type"])
    if words:
        return words.format_map(error.get("ctx") or {})
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{reason[:1].lower()}{reason[1:]}"


class Broken(Exception):
    """The configuration can't be used."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
