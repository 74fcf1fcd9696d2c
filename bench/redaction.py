"""Taking secrets out of hostile texts: time must grow with their length alone."""

import time
from collections.abc import Callable, Mapping, Sequence

from bench.report import Row
from services.model.redaction import scrub

TEXTS: Mapping[str, Callable[[int], str]] = {
    "names": lambda length: "a-" * (length // 2),
    "one run of letters": lambda length: "a" * length,
    "runs joined by +": lambda length: "a+" * (length // 2),
    "addresses": lambda length: "http://x/" * (length // 9),
    "paths": lambda length: "https://a/" + "/response" * (length // 9),
    "open quotes": lambda length: 'pwd="' * (length // 5),
    "blanks": lambda length: "secret" + " " * length,
    "tokens": lambda length: "eyJ-" * (length // 4),
}
"""Texts of a length that make a search start again and again."""
SHORT, LONG = 10_000, 100_000
GROWTH = 20
"""Times as long for ten times the text; quadratic would be a hundred."""


async def measure() -> Sequence[Row]:
    """Each text in two lengths."""
    rows = []
    for name, text in TEXTS.items():
        short, long = _milliseconds(text(SHORT)), _milliseconds(text(LONG))
        growth = long / max(short, 0.1)
        figure = f"{short:.1f} ms, {long:.1f} ms, {growth:.0f} times"
        rows.append(
            Row(f"redaction of {SHORT:,} and {LONG:,} characters: {name}", figure, f"< {GROWTH} times", growth < GROWTH)
        )
    return rows


def _milliseconds(text: str) -> float:
    began = time.process_time()
    scrub(text)
    return (time.process_time() - began) * 1000
