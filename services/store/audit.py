"""Who did what: one row for every command, decision and write to the outside."""

from sqlalchemy import insert, select

from services.model.audit import AuditRow
from services.store.base import Queries, columns, value
from services.store.tables import audit


class Audit(Queries):
    """Implements `ports.Audit`."""

    async def record(self, row: AuditRow) -> None:
        """In a transaction of its own."""
        async with self._writing() as connection:
            await connection.execute(insert(audit).values(columns(row)))

    async def rows(self, *, operation: str | None = None, limit: int = 1000) -> tuple[AuditRow, ...]:
        """The newest rows, oldest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if operation is not None:
            query = query.where(audit.c.operation == operation)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(value(AuditRow, row) for row in reversed(rows))
