"""What Slack's answers say about a workspace."""

from datetime import UTC, datetime

from sqlalchemy import delete, select

from services.store.base import Queries
from services.store.tables import workspaces


class Workspaces(Queries):
    """Whether a workspace shows plan blocks: cards for one that refuses them are made without."""

    async def plan_blocks(self, team: str) -> bool:
        """True until a refusal is stored."""
        async with self._reading() as connection:
            stored = await connection.scalar(select(workspaces.c.plan_blocks).where(workspaces.c.team == team))
        return stored is not False

    async def remember_plan_blocks(self, team: str, accepted: bool) -> None:
        """Store whether the workspace accepts plan blocks."""
        row = {"team": team, "plan_blocks": accepted, "learnt": datetime.now(UTC)}
        async with self._writing() as connection:
            await connection.execute(delete(workspaces).where(workspaces.c.team == team))
            await connection.execute(workspaces.insert().values(row))
