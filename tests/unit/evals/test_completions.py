"""Models that speak OpenAI's protocol are asked over connections of our own, behind the guard for addresses."""

import asyncio
import ipaddress
from collections.abc import Iterator

import pytest

from evals.errors import AddressRefused, CallFailed
from evals.judging.models import Connection, ModelJudge
from evals.providers import posts
from evals.providers.completions import is_direct
from heliograph.domain.evaluators import Answer, Message
from heliograph.outbound import Outbound
from tests.provider import Provider, serving

PROMPT = (Message("user", "Is it?"),)
SCHEMA = {"type": "object"}
LOOPBACK = Outbound([ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")])


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider()) as running:
        yield running


def judge(url: str, outbound: Outbound | None) -> ModelJudge:
    return ModelJudge("openai/gpt-4o-mini", Connection("sk-test", url, 5, outbound=outbound))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_address_is_called_only_where_the_guard_allows_it(provider: Provider, host: str) -> None:
    url = provider.url.replace("127.0.0.1", host)
    with pytest.raises(AddressRefused):
        await judge(url, Outbound()).ask(PROMPT, SCHEMA)
    assert not provider.statuses
    assert (await judge(url, LOOPBACK).ask(PROMPT, SCHEMA)).spending.input_tokens == 200


async def test_no_redirect_is_followed(provider: Provider) -> None:
    provider.plan = lambda _number, _request: (307, {"location": provider.url + "/elsewhere"}, {})
    with pytest.raises(CallFailed):
        await judge(provider.url, LOOPBACK).ask(PROMPT, SCHEMA)
    assert provider.statuses == {307: 1}


def test_connections_end_with_their_loop(provider: Provider) -> None:
    async def ask() -> Answer:
        answer = await judge(provider.url, LOOPBACK).ask(PROMPT, SCHEMA)
        assert any(loop is asyncio.get_running_loop() for loop, _ in posts._open)
        return answer

    for _ in range(2):
        assert asyncio.run(ask()).text
    assert not any(loop.is_closed() for loop, _ in posts._open)


async def test_parameters_of_a_model_are_sent_as_its_provider_names_them(provider: Provider) -> None:
    shaped = ModelJudge(
        "openai/gpt-5-mini",
        Connection("sk-test", provider.url),
        temperature=None,
        parameters={"reasoning_effort": "low"},
    )
    await shaped.ask(PROMPT, SCHEMA)
    (sent,) = provider.requests
    assert (sent["model"], sent["reasoning_effort"], sent["max_completion_tokens"]) == ("gpt-5-mini", "low", 1_024)


@pytest.mark.parametrize(
    ("model", "expected"),
    [("openai/gpt-4o-mini", True), ("openai/of-our-own", True), ("openai/o1-pro", False), ("anthropic/claude", False)],
)
def test_only_chat_completions_of_openais_protocol_are_asked_directly(model: str, *, expected: bool) -> None:
    assert is_direct(model) is expected
