"""What is wrong with the configuration, all of it at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
"""By pydantic's names of what is wrong (docs.pydantic.dev, Validation Errors), whose own words speak of Python."""


@dataclass(frozen=True)
class Problem:
    """`where` is a setting's name or a file with line; `what` goes on from there."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def sentence(error: Mapping[str, Any]) -> str:
    """What pydantic found, as a sentence goes on behind the name of what is wrong. It never repeats the value."""
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
