"""The subset of OData `$filter` that ARM lists accept: `name eq 'value'`, joined by `and`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.azure.errors import ArmError, invalid

_TERM = re.compile(r"\s*\(?\s*([\w./]+)\s+(eq|ne)\s+('(?:[^']|'')*'|null)\s*\)?\s*", re.IGNORECASE)
_AND = re.compile(r"and\s", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """One comparison; the value is None for `null`."""

    name: str
    equal: bool
    value: str | None

    def fits(self, actual: str | None) -> bool:
        """Whether a property with this value matches; case is ignored."""
        same = (actual or "").lower() == (self.value or "").lower()
        return same if self.equal else not same


def parse(text: str, allowed: Iterable[str]) -> list[Term]:
    """The terms of a filter over these property names; a 400 `ArmError` for anything else."""
    names = {name.lower(): name for name in allowed}
    terms, place = [], 0
    while place < len(text):
        match = _TERM.match(text, place)
        if match is None or match[1].lower() not in names:
            raise _bad(text)
        value = None if match[3].lower() == "null" else match[3][1:-1].replace("''", "'")
        terms.append(Term(names[match[1].lower()], match[2].lower() == "eq", value))
        place = match.end()
        if place < len(text):
            joined = _AND.match(text, place)
            if joined is None:
                raise _bad(text)
            place = joined.end()
    return terms


def _bad(text: str) -> ArmError:
    return invalid(
        f"Invalid $filter '{text}' specified in the query string.", code="InvalidFilterInQueryString", target="$filter"
    )
