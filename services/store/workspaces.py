"""What was learnt about a Slack workspace."""

from datetime import UTC, datetime

from sqlalchemy import delete, select

from services.store.base import Queries
from services.store.tables import workspaces


class Workspaces(Queries):
    """Whether a workspace shows plan blocks: some refuse them, and then cards are made without."""

    async def plan_blocks(self, team: str) -> bool:
        """True until a refusal was remembered."""
        async with self._reading() as connection:
            known = await connection.scalar(select(workspaces.c.plan_blocks).where(workspaces.c.team == team))
        return known is not False

    async def remember_plan_blocks(self, team: str, shown: bool) -> None:
        """Remember what Slack answered."""
        async with self._writing() as connection:
            await connection.execute(delete(workspaces).where(workspaces.c.team == team))
            await connection.execute(workspaces.insert().values(team=team, plan_blocks=shown, learnt=datetime.now(UTC)))
