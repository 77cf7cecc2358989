"""Feedback: what people and agents say of this product itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from heliograph.domain.identifiers import ProjectId

# Of each project; anybody with a key may fill it.
KEPT = 1_000


class FeedbackTarget(StrEnum):
    """What kind of thing it is about."""

    SKILL = "skill"
    MCP_TOOL = "mcp-tool"
    CLI = "cli"
    DOCS = "docs"
    PUBLIC_API = "public-api"
    OTHER = "other"


@dataclass(frozen=True)
class NewFeedback:
    """What is said; `target` names the tool, the command, the path or the page."""

    target_type: FeedbackTarget
    target: str
    feedback: str
    goal: str = ""
    reference_url: str = ""


@dataclass(frozen=True)
class Feedback:
    """What was said, by whose project and when."""

    id: str
    project_id: ProjectId
    said: NewFeedback
    created_at: datetime
