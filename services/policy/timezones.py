"""Time zones as people type them: IANA names in any case, and for everything else the names that were meant."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from zoneinfo import available_timezones

from services.model.errors import Invalid

_ABBREVIATIONS: Mapping[str, tuple[str, ...]] = {
    "pst": ("America/Los_Angeles",),
    "pdt": ("America/Los_Angeles",),
    "pt": ("America/Los_Angeles",),
    "mdt": ("America/Denver",),
    "mt": ("America/Denver",),
    "cdt": ("America/Chicago",),
    "ct": ("America/Chicago",),
    "cst": ("America/Chicago", "Asia/Shanghai"),
    "edt": ("America/New_York",),
    "et": ("America/New_York",),
    "ist": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "bst": ("Europe/London", "Asia/Dhaka"),
    "cest": ("Europe/Berlin",),
    "mez": ("Europe/Berlin",),
    "mesz": ("Europe/Berlin",),
    "eest": ("Europe/Helsinki",),
    "west": ("Europe/Lisbon",),
    "msk": ("Europe/Moscow",),
    "jst": ("Asia/Tokyo",),
    "kst": ("Asia/Seoul",),
    "hkt": ("Asia/Hong_Kong",),
    "sgt": ("Asia/Singapore",),
    "aest": ("Australia/Brisbane", "Australia/Sydney"),
    "aedt": ("Australia/Sydney",),
    "z": ("UTC",),
    "zulu time": ("UTC",),
}
"""All the meanings of abbreviations that are no IANA names."""
_FIXED: Mapping[str, tuple[str, ...]] = {
    "est": ("America/New_York",),
    "mst": ("America/Denver", "America/Phoenix"),
    "hst": ("Pacific/Honolulu",),
}
"""IANA names for offsets without daylight saving time, which hardly anybody means."""
_CITIES: Mapping[str, str] = {
    "beijing": "Asia/Shanghai",
    "peking": "Asia/Shanghai",
    "shenzhen": "Asia/Shanghai",
    "mumbai": "Asia/Kolkata",
    "delhi": "Asia/Kolkata",
    "bangalore": "Asia/Kolkata",
    "san_francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "boston": "America/New_York",
    "washington": "America/New_York",
    "munich": "Europe/Berlin",
    "hamburg": "Europe/Berlin",
    "frankfurt": "Europe/Berlin",
    "lyon": "Europe/Paris",
    "milan": "Europe/Rome",
    "barcelona": "Europe/Madrid",
    "geneva": "Europe/Zurich",
}
"""Big cities that are no IANA names."""
_WINDOWS: Mapping[str, str] = {
    "aus_eastern": "Australia/Sydney",
    "central": "America/Chicago",
    "central_europe": "Europe/Budapest",
    "central_european": "Europe/Warsaw",
    "china": "Asia/Shanghai",
    "e._south_america": "America/Sao_Paulo",
    "eastern": "America/New_York",
    "gmt": "Europe/London",
    "india": "Asia/Kolkata",
    "korea": "Asia/Seoul",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
    "romance": "Europe/Paris",
    "singapore": "Asia/Singapore",
    "tokyo": "Asia/Tokyo",
    "w._europe": "Europe/Berlin",
}
"""Windows' and Azure's names of much used zones, before "Standard Time" (Unicode CLDR, windowsZones)."""
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_BROKEN_OFFSETS: Mapping[str, tuple[str, ...]] = {
    "-9:30": ("Pacific/Marquesas",),
    "-3:30": ("America/St_Johns",),
    "+3:30": ("Asia/Tehran",),
    "+4:30": ("Asia/Kabul",),
    "+5:30": ("Asia/Kolkata", "Asia/Colombo"),
    "+5:45": ("Asia/Kathmandu",),
    "+6:30": ("Asia/Yangon",),
    "+9:30": ("Australia/Darwin", "Australia/Adelaide"),
    "+10:30": ("Australia/Lord_Howe", "Australia/Adelaide"),
    "+12:45": ("Pacific/Chatham",),
}
"""Offsets that are no whole hours, for which there are no names like `Etc/GMT-2`."""
_NOWHERE = frozenset({"Factory", "localtime"})
"""Names in the database that say nothing of a place: of no zone yet, and of the machine's own."""


@lru_cache(maxsize=256)
def zone_name(typed: str) -> str:
    """The IANA name. Raises `Invalid` (`tz.unknown`, or `tz.fixed` for `EST`) with those that may be meant."""
    word = typed.strip().lower().replace(" ", "_")
    if word in _FIXED:
        raise Invalid("tz", typed, "tz.fixed", {"near": _FIXED[word]})
    if name := _zones().get(word):
        return name
    raise Invalid("tz", typed, "tz.unknown", {"near": tuple(dict.fromkeys(_meant(word)))[:3]})


def zone_or_utc(name: str) -> str:
    """The IANA name where this machine's database of time zones has it, else `UTC`: Slack may be ahead of it."""
    return _zones().get(name.lower(), "UTC")


def _meant(word: str) -> Iterator[str]:
    if offset := _OFFSET.fullmatch(word):
        # POSIX counts the other way round: Etc/GMT-2 is two hours *ahead* of UTC.
        hours, minutes = int(offset[2]), offset[3] or "00"
        if minutes != "00":
            yield from _BROKEN_OFFSETS.get(f"{offset[1]}{hours}:{minutes}", ())
            return
        name = f"etc/gmt{'-' if offset[1] == '+' else '+'}{hours}" if hours else "utc"
        if name in _zones():
            yield _zones()[name]
        return
    if (windows := word.removesuffix("_standard_time")) != word and windows in _WINDOWS:
        yield _WINDOWS[windows]
    city = word.rpartition("/")[2]
    yield from _ABBREVIATIONS.get(word, ())
    if city in _CITIES:
        yield _CITIES[city]
    offered = {key: name for key, name in _zones().items() if not key.startswith("etc/")}
    yield from sorted(name for key, name in offered.items() if city and key.rpartition("/")[2] == city)
    # Three letters are alike to many others, and a wrong zone is worse than none.
    if len(word) > 4:  # noqa: PLR2004 - the longest common abbreviations
        cities = {key.rpartition("/")[2]: name for key, name in sorted(offered.items(), reverse=True) if "/" in key}
        yield from (offered[key] for key in get_close_matches(word, offered, 3, 0.75))
        yield from (cities[key] for key in get_close_matches(city, cities, 3, 0.75))


@cache
def _zones() -> Mapping[str, str]:
    """All IANA names, by their form in lower case."""
    return {name.lower(): name for name in available_timezones() - _NOWHERE}
