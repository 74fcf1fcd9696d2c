"""Names that the bot gives to things, short enough to say."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without letters that are read as others."""


def new_id(kind: str) -> str:
    """Such as `w-7k3q9xa`."""
    return f"{kind}-" + "".join(secrets.choice(ALPHABET) for _ in range(7))
