"""The bound on bytes in flight, and what happens to the rest of a body that was refused."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from heliograph.domain.errors import Unavailable
from serve_apps.bodies import BytesInFlight, DiscardedRemainders


def test_room_is_shared_and_given_back() -> None:
    in_flight = BytesInFlight(100)
    with in_flight.hold() as first:
        first.resize(80)
        with in_flight.hold() as second, pytest.raises(Unavailable):
            second.resize(30)
        first.resize(60)
        with in_flight.hold() as third:
            third.resize(40)
    with in_flight.hold() as last:
        last.resize(100)


def test_room_is_given_back_after_a_failure() -> None:
    in_flight = BytesInFlight(100)
    with pytest.raises(ValueError), in_flight.hold() as held:  # noqa: PT012 - the failure is inside the context
        held.resize(100)
        raise ValueError
    with in_flight.hold() as held:
        held.resize(100)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def chunks_left_after_refusal(headers: list[tuple[bytes, bytes]], chunks: int) -> int:
    messages: Iterator[Message] = iter(
        {"type": "http.request", "body": b"x", "more_body": number < chunks - 1} for number in range(chunks)
    )
    left_at_answer: list[int] = []

    async def receive() -> Message:
        await asyncio.sleep(0)
        return next(messages)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            left_at_answer.append(len(list(messages)))

    await DiscardedRemainders(refuse)({"type": "http", "headers": headers}, receive, send)
    return left_at_answer[0]


async def test_refused_body_is_read_away_before_the_answer() -> None:
    assert await chunks_left_after_refusal([], 5) == 0


async def test_client_that_waits_to_be_asked_is_answered_at_once() -> None:
    assert await chunks_left_after_refusal([(b"expect", b"100-continue")], 5) == 5
