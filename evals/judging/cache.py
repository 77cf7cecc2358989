"""Answers that were given before: the same judge, asked the same, is not paid twice."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from heliograph.content_hash import content_hash
from heliograph.domain.evaluators import Answer, Judge, Prompt, Spending


def question_key(identity: str, prompt: Prompt, schema: Mapping[str, Any]) -> str:
    """The hash of what a judge is asked."""
    messages = [[message.role, message.content] for message in prompt]
    return content_hash(judge=identity, prompt=messages, schema=schema)


def is_kept(answer: Answer) -> bool:
    """Whether it is a whole answer: a refusal or a cut one may be different next time."""
    return not answer.refusal and answer.finish_reason == "stop"


class AnswerCache(Protocol):
    """Answers by the hash of what was asked."""

    async def get(self, key: str) -> Answer | None: ...

    async def put(self, key: str, answer: Answer) -> None: ...

    async def settle(self) -> None:
        """Return when everything that was put is kept."""
        ...


class MemoryCache:
    """So many answers in memory; who was not asked for longest goes first."""

    def __init__(self, max_answers: int = 100_000) -> None:
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._max_answers = max_answers

    async def get(self, key: str) -> Answer | None:
        if key in self._answers:
            self._answers.move_to_end(key)
        return self._answers.get(key)

    async def put(self, key: str, answer: Answer) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._max_answers:
            self._answers.popitem(last=False)

    async def settle(self) -> None:
        """Everything is."""


class CachedJudge:
    """Asks another judge what the cache does not know. A cached answer costs nothing; equal questions at once ask once.

    Only whole answers are kept.
    """

    def __init__(self, judge: Judge, cache: AnswerCache) -> None:
        self._judge, self._cache = judge, cache
        self._asked: dict[str, asyncio.Future[Answer]] = {}

    @property
    def identity(self) -> str:
        return self._judge.identity

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """The known answer, or a new one.

        Raises:
            CallFailed: what the judge raises; failures are not kept.
        """
        key = question_key(self._judge.identity, prompt, schema)
        known = await self._cache.get(key)
        if known is not None:
            return replace(known, spending=Spending())
        if key in self._asked:
            # Shielded: who waits may be cancelled without taking the answer from the others.
            return replace(await asyncio.shield(self._asked[key]), spending=Spending())
        return await self._first(key, prompt, schema)

    async def _first(self, key: str, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        waiting = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._judge.ask(prompt, schema)
        except BaseException as error:
            if isinstance(error, Exception):
                waiting.set_exception(error)
                waiting.exception()  # nobody may be waiting
            else:
                waiting.cancel()
            raise
        finally:
            del self._asked[key]
        waiting.set_result(answer)
        if is_kept(answer):
            await self._cache.put(key, answer)
        return answer
