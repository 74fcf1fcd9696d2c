"""ISO 8601 durations, as far as Azure writes them: weeks, days, hours, minutes, seconds."""

import re
from datetime import timedelta

_FORM = re.compile(
    r"P(?!$)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def duration(text: str) -> timedelta | None:
    """The length of a duration such as `P2D` or `PT3H`; None for any other form."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    return timedelta(**{name: float(value) for name, value in match.groupdict().items() if value is not None})
