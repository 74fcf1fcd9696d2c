"""What keeps a process from writing anywhere after another one has taken over its work."""

from typing import Protocol


class Fence(Protocol):
    """A process's right to write. Both methods raise `DatabaseAway` while nobody can say whether it still has it.

    A process that has lost it is ended: neither method returns.
    """

    async def check(self) -> None:
        """Return while the right was confirmed a moment ago; ask the database otherwise. Cheap."""

    async def renew(self) -> None:
        """Ask the database, whatever is known."""


class Unfenced:
    """The right of a process that has its database to itself."""

    async def check(self) -> None:
        """It never ends."""

    async def renew(self) -> None:
        """Likewise."""


UNFENCED = Unfenced()
