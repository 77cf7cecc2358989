"""Feedback on the product: given with a project's key, read with the admin key."""

from typing import Any

import pytest
from langfuse.api import SubmitFeedbackResponse
from langfuse.api.core.pydantic_utilities import parse_obj_as
from sqlalchemy import func, select

from heliograph.domain.feedback import KEPT, FeedbackTarget, NewFeedback
from storage.postgres.feedback import AllFeedback
from storage.postgres.tables.feedback import FeedbackRow
from tests.integration.api.conftest import ADMIN_KEY, Api

SAID = {"targetType": "docs", "target": "/docs/metrics", "feedback": "Tell what a view is.", "goal": "draw cost"}


async def test_what_was_said_is_read_with_the_admin_key(api: Api) -> None:
    given = await api.client.post("/feedback", json=SAID)
    assert given.status_code == 201
    kept = parse_obj_as(SubmitFeedbackResponse, given.json())
    bearer = {"Authorization": f"Bearer {ADMIN_KEY}"}
    read = (await api.client.get("/heliograph-admin/feedback", headers=bearer, auth=None)).json()["data"]
    (found,) = [one for one in read if one["id"] == kept.id]
    assert {name: found[name] for name in SAID} == SAID
    assert (found["projectId"], found["referenceUrl"]) == (api.project.id, None)


@pytest.mark.parametrize(
    "wrong", [{"targetType": "weather"}, {"target": ""}, {"feedback": "x" * 3_001}, {"referenceUrl": "javascript:1"}]
)
async def test_what_is_wrong_is_named(api: Api, wrong: dict[str, Any]) -> None:
    refused = await api.client.post("/feedback", json=SAID | wrong)
    assert (refused.status_code, next(iter(wrong)) in refused.text) == (400, True)


async def test_of_each_project_only_the_newest_is_kept(api: Api) -> None:
    rows = [
        FeedbackRow(
            project_id=api.project.id, target_type="docs", target="t", feedback=str(number), goal="", reference_url=""
        )
        for number in range(KEPT + 5)
    ]
    async with api.database.transaction() as session:
        session.add_all(rows)
    said = NewFeedback(FeedbackTarget.CLI, "heliograph", "the last word")
    last = await AllFeedback(api.database).add(api.project.id, said)
    own = FeedbackRow.project_id == api.project.id
    async with api.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(FeedbackRow).where(own)) == KEPT
    assert (await AllFeedback(api.database).newest(1))[0].id == last
