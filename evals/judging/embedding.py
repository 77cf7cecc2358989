"""The embedder behind evaluators on the server: known vectors first, then calls within the budget and the pace."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from evals.errors import JudgeUnbounded
from evals.judging.limited import Slots, with_slot
from evals.judging.paid import Money, Tariff, paid
from evals.judging.retries import Backoff, patiently
from evals.providers.embeddings import Embedded
from heliograph.content_hash import content_hash

# What every provider takes in one call, with room to spare.
_TEXTS_AT_ONCE, _BYTES_AT_ONCE = 128, 200_000
_CALLS_AT_ONCE = 8
# Longer ones are cut, as models cut them: 8,191 tokens, of which texts have one in two characters at most.
MAX_CHARACTERS = 16_000

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
        cut = [text[:MAX_CHARACTERS] for text in texts]
        keys = [content_hash(embedder=self.identity, text=text) for text in cut]
        known = dict(await self._known.find(list(dict.fromkeys(keys))))
        missing = {key: text for key, text in zip(keys, cut, strict=True) if key not in known}
        for found in await asyncio.gather(*(self._embedded(portion) for portion in _portions(missing))):
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
        await self._known.keep(vectors)
        return vectors


def _portions(texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """As many at a time as one call takes."""
    portion: dict[str, str] = {}
    size = 0
    for key, text in texts.items():
        if portion and (len(portion) >= _TEXTS_AT_ONCE or size + len(text) > _BYTES_AT_ONCE):
            yield portion
            portion, size = {}, 0
        portion[key] = text
        size += len(text)
    if portion:
        yield portion
