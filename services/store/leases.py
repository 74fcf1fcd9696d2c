"""Service addresses that operations have reserved, until the extension owns them."""

from sqlalchemy import delete, select

from services.store.base import Queries
from services.store.tables import leases


class Leases(Queries):
    """Implements `ports.Leases`: one row for each address of a cluster, with its operation."""

    async def take(self, cluster: str, address: str, operation: str) -> bool:
        """The primary key keeps racing operations apart."""
        async with self._writing() as connection:
            await connection.execute(
                self._insert_once(leases).values(cluster=cluster, address=address, operation=operation)
            )
            holder = await connection.scalar(
                select(leases.c.operation).where(leases.c.cluster == cluster, leases.c.address == address)
            )
        return holder == operation

    async def of_others(self, cluster: str, operation: str) -> frozenset[str]:
        """Of leases in force: an operation gives its leases back when it ends."""
        query = select(leases.c.address).where(leases.c.cluster == cluster, leases.c.operation != operation)
        async with self._reading() as connection:
            return frozenset(await connection.scalars(query))

    async def release(self, operation: str, *, but: str = "") -> None:
        """Rows of other operations stay."""
        async with self._writing() as connection:
            await connection.execute(delete(leases).where(leases.c.operation == operation, leases.c.address != but))
