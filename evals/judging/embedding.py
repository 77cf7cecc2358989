"""The embedder behind evaluators on the server: known vectors first, then calls within the budget and the pace."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from evals.errors import JudgeUnbounded
from evals.judging.limited import Slots, with_slot
from evals.judging.paid import Money, Tariff, paid
from evals.judging.retries import Backoff, patiently
from evals.providers.embeddings import Embedded
from heliograph.content_hash import content_hash
from heliograph.domain.errors import Unavailable

# What every provider takes in one call, with room to spare.
_TEXTS_AT_ONCE, _BYTES_AT_ONCE = 128, 200_000
_CALLS_AT_ONCE = 8
# Models take 8,191 tokens: of ASCII one has two characters or more, of everything else a byte may be one.
_MAX_ASCII, _MAX_BYTES = 16_000, 8_000

Vector = Sequence[float]
Call = Callable[[Sequence[str]], Awaitable[Embedded]]


class Vectors(Protocol):
    """What is known already, by the hash of model and text."""

    async def find(self, keys: Sequence[str]) -> Mapping[str, Vector]: ...

    async def keep(self, vectors: Mapping[str, Vector]) -> None: ...


class BudgetedEmbedder:
    """Turns texts into vectors; each text is paid once.

    Args:
        identity: of the model and its parameters.
        call: one call of it.
        tariff: of its model.
        money: pays.
        slots: of its provider.
        known: vectors that there are.

    Raises:
        JudgeUnbounded: the model has no price, so that no call has an upper bound.
    """

    def __init__(
        self, identity: str, call: Call, *, tariff: Tariff | None, money: Money, slots: Slots, known: Vectors
    ) -> None:
        if tariff is None:
            raise JudgeUnbounded(identity)
        self.identity = identity
        self._call, self._tariff, self._money, self._slots, self._known = call, tariff, money, slots, known
        self._places = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        """One vector for each text.

        Raises:
            BudgetExhausted: the upper bound of a call does not fit into what is left.
            CallFailed: the provider cannot answer.
        """
        cut = [_cut(text) for text in texts]
        keys = [content_hash(embedder=self.identity, text=text) for text in cut]
        known = dict(await self._known.find(list(dict.fromkeys(keys))))
        missing = {key: text for key, text in zip(keys, cut, strict=True) if key not in known}
        # All of them end: what was paid is kept, though another failed.
        for found in await asyncio.gather(*map(self._embedded, _portions(missing)), return_exceptions=True):
            if isinstance(found, BaseException):
                raise found
            known |= found
        return [known[key] for key in keys]

    async def _embedded(self, portion: Mapping[str, str]) -> Mapping[str, Vector]:
        texts = list(portion.values())
        bound = self._tariff.units(sum(len(text.encode()) for text in texts) + len(texts), 0)

        def cost(answer: Embedded) -> int:
            return self._tariff.units(answer.tokens, 0) if answer.tokens else bound

        once = partial(with_slot, self._slots, partial(self._call, texts))
        async with self._places:
            answer = await patiently(partial(paid, self._money, bound, once, cost=cost), Backoff(attempts=8))
        vectors = dict(zip(portion, answer.vectors, strict=True))
        # While PostgreSQL is away nothing is kept, and what was paid is used all the same.
        with contextlib.suppress(Unavailable):
            await self._known.keep(vectors)
        return vectors


def _cut(text: str) -> str:
    """What a model takes of a text: not all of a long one, and no empty one."""
    kept = text[:_MAX_ASCII] if text.isascii() else text.encode()[:_MAX_BYTES].decode(errors="ignore")
    return kept or " "


def _portions(texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """As many at a time as one call takes."""
    portion: dict[str, str] = {}
    size = 0
    for key, text in texts.items():
        length = len(text.encode())
        if portion and (len(portion) >= _TEXTS_AT_ONCE or size + length > _BYTES_AT_ONCE):
            yield portion
            portion, size = {}, 0
        portion[key] = text
        size += length
    if portion:
        yield portion
