"""Service addresses that operations have spoken for, until the extension owns them."""

from sqlalchemy import delete, select

from services.store.base import Queries
from services.store.tables import leases


class Leases(Queries):
    """One row an address of a cluster; the primary key keeps racing operations apart."""

    async def take(self, cluster: str, address: str, operation: str) -> bool:
        """Lease the address for the operation; False when another one has it. Idempotent."""
        async with self._writing() as connection:
            await connection.execute(
                self._insert_once(leases).values(cluster=cluster, address=address, operation=operation)
            )
            holder = await connection.scalar(
                select(leases.c.operation).where(leases.c.cluster == cluster, leases.c.address == address)
            )
        return holder == operation

    async def of_others(self, cluster: str, operation: str) -> frozenset[str]:
        """Addresses of the cluster that other operations have leased."""
        async with self._reading() as connection:
            found = await connection.scalars(
                select(leases.c.address).where(leases.c.cluster == cluster, leases.c.operation != operation)
            )
            return frozenset(found)

    async def holder(self, cluster: str, address: str) -> str:
        """The operation that has leased the address; empty when none has."""
        async with self._reading() as connection:
            found = await connection.scalar(
                select(leases.c.operation).where(leases.c.cluster == cluster, leases.c.address == address)
            )
        return found or ""

    async def release(self, operation: str, *, but: str = "") -> None:
        """Give all the operation's addresses back except `but`."""
        async with self._writing() as connection:
            await connection.execute(delete(leases).where(leases.c.operation == operation, leases.c.address != but))
