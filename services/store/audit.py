"""Who did what: one row for every command, decision and write to the outside."""

from sqlalchemy import insert, select

from services.model.audit import AuditRow
from services.store.base import Queries
from services.store.tables import audit


class Audit(Queries):
    """Rows are only ever added."""

    async def record(self, row: AuditRow) -> None:
        """Write the row."""
        values = {name: getattr(row, name) for name in AuditRow.__dataclass_fields__}
        async with self._writing() as connection:
            await connection.execute(insert(audit).values(**values))

    async def rows(self, *, operation: str | None = None, limit: int = 1000) -> tuple[AuditRow, ...]:
        """The newest rows, oldest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if operation is not None:
            query = query.where(audit.c.operation == operation)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        names = AuditRow.__dataclass_fields__
        return tuple(AuditRow(**{name: row[name] for name in names}) for row in reversed(rows))
