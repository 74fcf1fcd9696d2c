"""The valid names that are most similar to a typed one."""

from collections.abc import Iterable
from difflib import SequenceMatcher


def _likeness(typed: str, name: str) -> float:
    typed, name = typed.lower(), name.lower()
    likeness = SequenceMatcher(None, typed, name).ratio()
    # SequenceMatcher counts a transposition, the most common slip, as two letters; sorting the letters hides it.
    if sorted(typed) == sorted(name):
        likeness = max(likeness, 0.85)
    if name.startswith(typed) and typed:
        likeness = max(likeness, 0.8)
    return likeness


def nearest(typed: str, names: Iterable[str], *, most: int = 3, cutoff: float = 0.6) -> tuple[str, ...]:
    """Up to `most` of the names that `typed` may stand for, the most similar first."""
    scored = sorted(((_likeness(typed, name), name) for name in set(names)), key=lambda pair: (-pair[0], pair[1]))
    return tuple(name for likeness, name in scored if likeness >= cutoff)[:most]


def ranked(typed: str, names: Iterable[str], *, most: int = 100) -> tuple[str, ...]:
    """Suggestions while somebody types: names that begin with the text, those that contain it, then similar ones."""
    lower = typed.strip().lower()

    def rank(name: str) -> tuple[float, str] | None:
        if name.lower().startswith(lower):
            return (0, name)
        if lower in name.lower():
            return (1, name)
        likeness = _likeness(lower, name)
        return (3 - likeness, name) if likeness >= 0.5 else None  # noqa: PLR2004 - half alike is worth a look

    return tuple(name for _, name in sorted(filter(None, map(rank, dict.fromkeys(names)))))[:most]
