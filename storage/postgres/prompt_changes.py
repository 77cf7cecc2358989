"""The channel on which changes of prompts are announced."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.identifiers import ProjectId

PROMPTS_CHANNEL = "prompts"


async def announce(session: AsyncSession, project_id: ProjectId) -> None:
    """Tell every replica that prompts of a project have changed, once the transaction is committed."""
    await session.execute(select(func.pg_notify(PROMPTS_CHANNEL, project_id)))
