"""Calls of models from the dashboard: through a connection's key, streamed, traced, and by role."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.mandate import Mandate
from dashboard.model_calls import ModelCalls, Providers, Question
from dashboard.own_events import OwnEvents
from evals.errors import AddressRefused, CredentialsInvalid
from evals.providers.chat import ChatRequest
from heliograph.domain.access import Project, Role
from heliograph.domain.errors import RoleInsufficient
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.llm_connections import Adapter, NewLlmConnection
from heliograph.outbound import Outbound
from ingestion import otlp
from ingestion.scores import ScoreBody
from storage.postgres.connection import Database
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.users import Users
from storage.seal import Seal
from tests.provider import Provider, completion, error, serving

SEAL = Seal("key of the tests")
HERE = (ipaddress.ip_network("127.0.0.0/8"),)
ASKED = ChatRequest([{"role": "user", "content": "Why?"}], {"temperature": 0.5})


class Kept:
    """Spans in memory, as rows."""

    def __init__(self) -> None:
        self.observations: list[dict[str, Any]] = []

    async def take_scores(self, project: Project, bodies: Sequence[ScoreBody]) -> None:
        raise NotImplementedError

    async def take_spans(self, project: Project, export: otlp.ExportTraceServiceRequest) -> MappedBatch:
        context = otlp.MappingContext(project.id, IngestionFacts(), datetime.now(UTC))
        batch = otlp.map_export(export, context).batch
        self.observations += batch.observations.to_pylist(maps_as_pydicts="lossy")
        return batch

    async def accept(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


async def _calls(
    database: Database, project: Project, url: str, *, role: Role = Role.MEMBER, outbound: Outbound | None = None
) -> tuple[ModelCalls, Kept]:
    users = Users(database)
    user = await users.create(f"{role}-{project.id}@models.example", "Ada", "correct horse battery")
    await users.join_organization(user.id, project.organization_id, role)
    new = NewLlmConnection(
        provider="house", adapter=Adapter.OPENAI, secret_key="sk-of-the-tests", base_url=url,
        custom_models=("gpt-4o-mini",), with_default_models=False, extra_headers={"x-team": "blue"},
    )  # fmt: skip
    await LlmConnections(database, project.id, SEAL).put(new)
    kept = Kept()
    providers = Providers(SEAL, outbound or Outbound(HERE))
    mandate = Mandate(database, project, user)
    return ModelCalls(database, mandate, OwnEvents(kept, kept), providers=providers), kept


async def test_an_answer_comes_word_by_word_and_is_traced_with_its_cost(database: Database, project: Project) -> None:
    with serving(Provider(reply=lambda _: completion("Because it is so."))) as provider:
        calls, kept = await _calls(database, project, provider.url)
        assert await calls.offers() == {"house": ["gpt-4o-mini"]}
        texts = []
        async for reply in calls.ask(Question("house", "gpt-4o-mini", ASKED, prompt=("why", 3))):
            texts.append(reply.answer.text)
    assert len(set(texts)) == 4
    assert texts[-1] == "Because it is so."
    assert provider.requests[0]["temperature"] == 0.5
    (row,) = kept.observations
    assert (row["trace_id"], row["environment"], row["type"]) == (reply.trace_id, "playground", "GENERATION")
    assert (row["provided_model_name"], row["prompt_name"], row["prompt_version"]) == ("gpt-4o-mini", "why", 3)
    assert (row["output"], row["input_tokens"], row["output_tokens"]) == ("Because it is so.", 200, 30)
    assert reply.cost_usd == pytest.approx(float(row["total_cost"]))
    assert float(row["total_cost"]) == pytest.approx(200 * 0.15e-6 + 30 * 0.6e-6)
    assert "sk-of-the-tests" not in str(kept.observations)


async def test_tool_calls_are_put_together_and_a_schema_is_passed_on(database: Database, project: Project) -> None:
    status, headers, body = completion("")
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
    body["choices"][0]["message"] |= {"content": None, "tool_calls": [call]}
    request = ChatRequest(ASKED.messages, tools=[{"type": "function", "function": {"name": "weather"}}], schema={})
    with serving(Provider(reply=lambda _: (status, headers, body))) as provider:
        calls, kept = await _calls(database, project, provider.url)
        replies = [reply async for reply in calls.ask(Question("house", "gpt-4o-mini", request))]
    assert replies[-1].answer.tool_calls == [call]
    assert provider.requests[0]["tools"] == list(request.tools)
    assert provider.requests[0]["response_format"]["json_schema"]["schema"] == {}
    assert '"weather"' in kept.observations[0]["output"]


async def test_a_call_that_is_stopped_is_traced_as_far_as_it_came(database: Database, project: Project) -> None:
    with serving(Provider(reply=lambda _: completion("one two three"), piece_seconds=0.2)) as provider:
        calls, kept = await _calls(database, project, provider.url)
        asking = calls.ask(Question("house", "gpt-4o-mini", ASKED))
        await anext(asking)
        await asking.aclose()
    (row,) = kept.observations
    assert (row["output"].strip(), row["level"], row["status_message"]) == ("one", "ERROR", "Stopped by the user.")


async def test_a_refused_key_is_told_and_traced(database: Database, project: Project) -> None:
    with serving(Provider(reply=lambda _: error(401, "Incorrect API key"))) as provider:
        calls, kept = await _calls(database, project, provider.url)
        with pytest.raises(CredentialsInvalid):
            await anext(calls.ask(Question("house", "gpt-4o-mini", ASKED)))
    assert [row["level"] for row in kept.observations] == ["ERROR"]


async def test_no_address_of_a_private_network_is_called(database: Database, project: Project) -> None:
    with serving(Provider()) as provider:
        calls, _ = await _calls(database, project, provider.url, outbound=Outbound())
        with pytest.raises(AddressRefused, match="private network"):
            await anext(calls.ask(Question("house", "gpt-4o-mini", ASKED)))
    assert provider.requests == []


async def test_who_may_only_read_calls_no_model(database: Database, project: Project) -> None:
    with serving(Provider()) as provider:
        calls, kept = await _calls(database, project, provider.url, role=Role.VIEWER)
        with pytest.raises(RoleInsufficient):
            await anext(calls.ask(Question("house", "gpt-4o-mini", ASKED)))
    assert (provider.requests, kept.observations) == ([], [])
