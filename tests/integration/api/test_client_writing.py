"""What the Python client keeps on a served API: datasets, prompts, connections to providers."""

from collections.abc import AsyncIterator

import pandas as pd
import pytest

from heliograph.client.connection import Server
from heliograph.client.project import Project
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.not_found import NotFound
from tests.integration.api.conftest import Api
from tests.integration.api.serving import serving, used


@pytest.fixture
async def served(api: Api) -> AsyncIterator[Server]:
    async with serving(api) as server:
        yield server


async def test_rows_of_a_selection_become_items_and_are_read_back(served: Server) -> None:
    rows = pd.DataFrame({"id": ["a", "b"], "input": ['{"message": "Hi"}', "plain"], "trace_id": ["t", "u"]})

    def ask(project: Project) -> tuple[int, pd.DataFrame]:
        put = project.datasets.put("qa/put", rows.rename(columns={"trace_id": "source_trace_id"}))
        return put.imported, project.datasets.items("qa/put").set_index("id")

    imported, items = await used(served, ask)
    assert imported == 2
    assert items["input"].to_dict() == {"a": {"message": "Hi"}, "b": "plain"}
    assert items["source_trace_id"].to_dict() == {"a": "t", "b": "u"}


async def test_dicts_become_items_page_after_page_and_bad_ones_are_told(served: Server) -> None:
    rows = [{"id": f"n{n}", "question": n, "answer": str(n)} for n in range(120)]

    def ask(project: Project) -> tuple[list[str], pd.DataFrame]:
        put = project.datasets.put(
            "qa/dicts", [*rows, {"question": object(), "answer": ""}], input=["question"], expected_output="answer"
        )
        return [bad.reason for bad in put.bad], project.datasets.items("qa/dicts")

    bad, items = await used(served, ask)
    assert bad == ["object is no JSON value"]
    assert set(items["input"]) == set(range(120))
    assert set(items["expected_output"]) == {str(n) for n in range(120)}


async def test_a_prompts_versions_are_numbered_and_labels_move(served: Server) -> None:
    def ask(project: Project) -> tuple[int, int, str, str]:
        first = project.prompts.create("said", "Hello {{name}}", labels=["production"])
        second = project.prompts.create("said", "Good day {{name}}", labels=["production"], config={"formal": True})
        return first, second, project.prompts.get("said")["prompt"], project.prompts.get("said", version=1)["prompt"]

    assert await used(served, ask) == (1, 2, "Good day {{name}}", "Hello {{name}}")
    with pytest.raises(NotFound):
        await used(served, lambda project: project.prompts.get("unsaid"))


async def test_a_chat_prompt_keeps_its_messages(served: Server) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{question}}"}]

    def ask(project: Project) -> object:
        project.prompts.create("chat", messages, labels=["production"])
        return project.prompts.get("chat")["prompt"]

    assert await used(served, ask) == messages


async def test_a_connection_is_kept_without_showing_its_secret(served: Server) -> None:
    def ask(project: Project) -> list[tuple[str, str, str, list[str]]]:
        project.llm_connections.put("local", secret_key="sk-1234567890", base_url="http://127.0.0.1:9/v1", models=["m"])
        known = project.llm_connections()
        return [(one["provider"], one["adapter"], one["displaySecretKey"], one["customModels"]) for one in known]

    assert await used(served, ask) == [("local", "openai", "...7890", ["m"])]
    with pytest.raises(InvalidRequest, match="baseURL"):
        await used(
            served, lambda project: project.llm_connections.put("x", secret_key="sk-1", base_url="http://10.0.0.1/v1")
        )
