"""The judge behind a provider: what its errors mean, when it is asked again, and what is not paid twice."""

import asyncio
from collections.abc import Iterator

import pytest

from evals.errors import (
    CallFailed,
    CallTimedOut,
    ContextTooLong,
    CredentialsInvalid,
    CreditExhausted,
    EndpointUnreachable,
    JudgeRefused,
    ModelUnavailable,
    ProviderUnavailable,
    RateLimited,
    RequestInvalid,
)
from evals.judges.quality import relevance
from evals.judging.cache import CachedJudge, MemoryCache
from evals.judging.models import Connection, ModelJudge
from evals.judging.retries import Backoff, PatientJudge
from heliograph.domain.evaluators import Answer, Message, OutcomeStatus, Spending
from tests import provider as provided
from tests.provider import Provider, Reply, completion, error, limited, outage, serving
from tests.unit.evals.judges_fake import COST, ScriptedJudge, said

PROMPT = (Message("user", "Is it?"),)
ROW = {"input": "in", "output": "out"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider()) as running:
        yield running


def judge_of(provider: Provider, *, timeout_seconds: float = 20.0) -> ModelJudge:
    return ModelJudge("openai/gpt-4o-mini", Connection("sk-test", provider.url, timeout_seconds))


async def test_a_verdict_comes_with_its_tokens_and_cost(provider: Provider) -> None:
    outcome = await relevance(judge_of(provider)).evaluate(ROW)
    assert outcome.verdict is not None
    assert (outcome.verdict.value, outcome.verdict.reason) == (0.75, "It says what was asked for.")
    spending = outcome.spending
    assert (spending.input_tokens, spending.output_tokens, spending.calls) == (200, 30, 1)
    assert spending.cost_usd == pytest.approx(200 * 0.15e-6 + 30 * 0.6e-6)
    sent = provider.requests[0]
    assert (sent["temperature"], sent["max_tokens"], sent["response_format"]["type"]) == (0.0, 1_024, "json_schema")


@pytest.mark.parametrize(
    ("reply", "expected", "is_passing", "block"),
    [
        (limited(1.5), RateLimited, True, ""),
        (error(429, "You exceeded your current quota", code="insufficient_quota"), CreditExhausted, False, "BILLING"),
        (error(401, "Incorrect API key provided"), CredentialsInvalid, False, "AUTH"),
        (error(404, "The model does not exist", code="model_not_found"), ModelUnavailable, False, "UNAVAILABLE"),
        (error(400, "Invalid value for temperature"), RequestInvalid, False, ""),
        (
            error(400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded"),
            ContextTooLong,
            False,
            "",
        ),
        (error(500, "The server had an error"), ProviderUnavailable, True, ""),
        (outage(), ProviderUnavailable, True, ""),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else None,
)
async def test_errors_of_the_provider_are_told_apart(
    provider: Provider, reply: Reply, expected: type[CallFailed], *, is_passing: bool, block: str
) -> None:
    provider.plan = lambda _number, _request: reply
    with pytest.raises(CallFailed) as raised:
        await judge_of(provider).ask(PROMPT, {"type": "object"})
    assert type(raised.value) is expected
    assert raised.value.is_passing is is_passing
    assert block in raised.value.block
    assert provider.statuses.total() == 1  # nothing below tried again
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after == 1.5


async def test_a_provider_that_is_slow_or_away_is_told_apart(provider: Provider) -> None:
    provider.latency_seconds = 5
    with pytest.raises(CallTimedOut):
        await judge_of(provider, timeout_seconds=0.2).ask(PROMPT, {"type": "object"})
    away = ModelJudge("openai/gpt-4o-mini", Connection("sk-test", "http://127.0.0.1:9/v1", 5))
    with pytest.raises(EndpointUnreachable):
        await away.ask(PROMPT, {"type": "object"})


async def test_refusals_and_malformed_answers_of_a_provider_fail_with_their_cause(provider: Provider) -> None:
    provider.reply = lambda _request: completion("", refusal="I can't judge that.")
    refused = await relevance(judge_of(provider)).evaluate(ROW)
    assert (refused.status, refused.cause) == (OutcomeStatus.FAILED, JudgeRefused.__name__)
    provider.plan = lambda number, _request: completion("four") if number == 1 else None
    provider.reply = lambda _request: completion(provided.VERDICT)
    mended = await relevance(judge_of(provider)).evaluate(ROW)
    assert mended.spending.calls == 2


async def test_a_storm_of_rate_limits_ends_with_every_row_scored(provider: Provider) -> None:
    provider.plan = lambda number, _request: (limited(0.01), outage(), None)[number % 3] if number < 60 else None
    judge = PatientJudge(judge_of(provider), Backoff(attempts=12, first_seconds=0.01, longest_seconds=0.1), seed=1)
    outcomes = await relevance(judge).evaluate_rows([ROW] * 40, concurrency=8)
    assert {outcome.status for outcome in outcomes} == {OutcomeStatus.SCORED}
    assert provider.statuses[200] == 40
    assert provider.most_at_once <= 8


async def test_waits_double_and_keep_to_what_the_provider_names() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    failures = [ProviderUnavailable("m", "down"), RateLimited("m", "slow", 9.0), CallTimedOut("m", "late")]
    judge = PatientJudge(ScriptedJudge(*failures, said(1)), Backoff(first_seconds=2), sleep=sleep, seed=1)
    assert await judge.ask(PROMPT, {}) == said(1)
    assert 1 <= waits[0] <= 2
    assert waits[1] == 9.0
    assert 4 <= waits[2] <= 8


@pytest.mark.parametrize(
    "failure", [RequestInvalid("m", "bad"), CredentialsInvalid("m", "key"), RateLimited("m", "", 600.0)]
)
async def test_what_no_wait_heals_is_raised_at_once(failure: CallFailed) -> None:
    asked = ScriptedJudge(failure)
    with pytest.raises(type(failure)):
        await PatientJudge(asked).ask(PROMPT, {})
    assert len(asked.asked) == 1


async def test_the_same_question_is_paid_once_even_when_asked_at_once() -> None:
    asked = ScriptedJudge(said(4))
    judge = CachedJudge(asked, MemoryCache())
    first, second = await asyncio.gather(judge.ask(PROMPT, {}), judge.ask(PROMPT, {}))
    third = await judge.ask(PROMPT, {})
    assert len(asked.asked) == 1
    assert [answer.spending for answer in (first, second, third)] == [COST, Spending(), Spending()]
    await judge.ask((Message("user", "And that?"),), {})
    await judge.ask(PROMPT, {"type": "object"})
    assert len(asked.asked) == 3


async def test_failures_and_partial_answers_are_not_kept() -> None:
    cut = Answer("{", finish_reason="length")
    judge = CachedJudge(ScriptedJudge(ProviderUnavailable("m", "down"), cut, said(4)), MemoryCache())
    with pytest.raises(ProviderUnavailable):
        await judge.ask(PROMPT, {})
    assert await judge.ask(PROMPT, {}) == cut
    assert await judge.ask(PROMPT, {}) == said(4)


async def test_the_oldest_answer_leaves_a_full_cache() -> None:
    cache = MemoryCache(max_answers=2)
    for key in ("a", "b"):
        await cache.put(key, said(1))
    await cache.get("a")
    await cache.put("c", said(1))
    assert [await cache.get(key) is not None for key in ("a", "b", "c")] == [True, False, True]


def test_keys_and_addresses_are_no_part_of_a_judges_identity_and_are_not_shown() -> None:
    one, other = (ModelJudge("m", Connection(key, "http://a")) for key in ("sk-1", "sk-2"))
    assert one.identity == other.identity
    assert "sk-1" not in repr(one)
    assert ModelJudge("m", temperature=1.0).identity != one.identity
