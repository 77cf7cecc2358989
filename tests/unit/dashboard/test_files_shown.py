from typing import Any

import pytest

from dashboard.components import datasets, prompts, subjects
from dashboard.queries.subjects import Subject
from heliograph.domain.annotations import AnnotatedType
from heliograph.domain.datasets import DatasetItem, ItemStatus
from heliograph.domain.media import reference
from heliograph.domain.prompts import Prompt, PromptType
from ingestion.annotated_scores import Target
from tests.factories import NOON

FILE = reference("image/png", "abc", "bytes")
SHOWN = '<img src="/files/p/abc"'


@pytest.mark.parametrize("body", [f"Look: {FILE}", [{"role": "user", "content": FILE}]])
def test_a_prompt_shows_the_files_that_it_refers_to(body: Any) -> None:
    prompt = Prompt(
        id="x", project_id="p", name="n", version=1, type=PromptType.TEXT, body=body, config={}, labels=(), tags=(),
        commit_message=None, created_by="ada", created_at=NOON, updated_at=NOON,
    )  # fmt: skip
    assert SHOWN in prompts.content(prompt)


def test_an_item_of_a_dataset_shows_the_files_that_it_refers_to() -> None:
    item = DatasetItem(
        id="i", dataset_id="d", dataset_name="all", status=ItemStatus.ACTIVE, input={"picture": FILE},
        expected_output=None, metadata=None, source_trace_id=None, source_observation_id=None,
        created_at=NOON, valid_from=NOON,
    )  # fmt: skip
    assert SHOWN in datasets.item_content([item], "", "p")


def test_what_is_labelled_shows_the_files_that_it_refers_to() -> None:
    subject = Subject(AnnotatedType.TRACE, Target(trace_id="t"), "title", input=FILE)
    assert SHOWN in subjects.content(subject, lambda _: "/trace", "p")
