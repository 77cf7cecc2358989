"""An embedder that pays: what of a text it sends, and what it keeps of what was paid."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from evals.errors import RequestInvalid
from evals.judging.embedding import BudgetedEmbedder
from evals.judging.paid import Tariff
from evals.providers.embeddings import Embedded
from heliograph.domain.errors import Unavailable
from heliograph.domain.pacing import CallCounts

MAX_TOKENS = 8_191


class Open:
    """Money and slots without an end."""

    async def reserve(self, units: int) -> None: ...

    def settle(self, reserved: int, spent: int) -> None: ...

    async def take(self) -> None: ...

    def give_back(self, counts: CallCounts) -> None: ...


class Known:
    """Vectors in memory, or of a store that is away."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.vectors: dict[str, Sequence[float]] = {}
        self._is_away = is_away

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[float]]:
        return {key: self.vectors[key] for key in keys if key in self.vectors}

    async def keep(self, vectors: Mapping[str, Sequence[float]]) -> None:
        if self._is_away:
            raise Unavailable("PostgreSQL", 1.0)
        self.vectors |= vectors


class Model:
    """Remembers what it was sent; refuses a call with a certain text."""

    def __init__(self, refused: str | None = None) -> None:
        self.calls: list[Sequence[str]] = []
        self._refused = refused

    async def __call__(self, texts: Sequence[str]) -> Embedded:
        self.calls.append(texts)
        if self._refused in texts:
            raise RequestInvalid("model", "not this one")
        await asyncio.sleep(0.01)
        return Embedded([[float(len(text))] for text in texts], len(texts))


def embedder(model: Model, known: Known) -> BudgetedEmbedder:
    around = Open()
    return BudgetedEmbedder("model", model, tariff=Tariff(1e-6, 0.0, 0), money=around, slots=around, known=known)


@pytest.mark.parametrize("text", ["", "a" * 100_000, "日" * 20_000, "🙂" * 20_000, "a" * 15_000 + "é"])
async def test_every_text_is_one_that_a_model_takes(text: str) -> None:
    model = Model()
    await embedder(model, Known()).embed([text])
    ((sent,),) = model.calls
    assert sent
    assert len(sent) <= 2 * MAX_TOKENS if sent.isascii() else len(sent.encode()) <= MAX_TOKENS


async def test_what_was_paid_is_kept_though_another_call_fails() -> None:
    model, known = Model(refused="text 0"), Known()
    texts = [f"text {number}" for number in range(300)]
    with pytest.raises(RequestInvalid):
        await embedder(model, known).embed(texts)
    assert len(known.vectors) == 300 - 128


async def test_what_was_paid_is_used_while_its_store_is_away() -> None:
    assert await embedder(Model(), Known(is_away=True)).embed(["a", "bb", "a"]) == [[1.0], [2.0], [1.0]]
