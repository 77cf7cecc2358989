"""The price books of projects, and how old they may be."""

import asyncio
from collections.abc import Sequence

import pytest

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import Model
from ingestion.pricing import managed_prices
from ingestion.project_prices import ProjectPrices

MINE, THEIRS = ProjectId("mine"), ProjectId("theirs")


class DefinitionsInMemory:
    """Definitions that can be away."""

    def __init__(self, *models: Model) -> None:
        self.models = list(models)
        self.is_away = False
        self.readings = 0
        self._looks: asyncio.Queue[None] = asyncio.Queue()

    async def version(self) -> str:
        self._looks.put_nowait(None)
        if self.is_away:
            raise Unavailable("PostgreSQL", 1)
        return repr(self.models)

    async def all(self) -> Sequence[Model]:
        self.readings += 1
        return self.models

    async def looked_at(self) -> None:
        """Return when all that is true by now has been seen: at the second look from here."""
        while not self._looks.empty():
            self._looks.get_nowait()
        async with asyncio.timeout(10):
            await self._looks.get()
            await self._looks.get()


def own(model_id: str, pattern: str = "^gpt-4o$", project_id: str = MINE) -> Model:
    return Model(model_id, "gpt-4o", pattern, project_id=project_id)


def meant(prices: ProjectPrices, project_id: ProjectId) -> str:
    found = prices.of(project_id).match("gpt-4o")
    return found.id if found else ""


async def test_a_projects_own_definitions_are_its_alone() -> None:
    prices = ProjectPrices(DefinitionsInMemory(own("a"), own("b", "^other$"), own("c", project_id="third")))
    await prices.refresh()
    assert meant(prices, MINE) == "a"
    assert meant(prices, THEIRS) == "heliograph-gpt-4o"
    assert prices.of(THEIRS) is managed_prices()
    assert prices.of(MINE).model("heliograph-gpt-4o") is not None


async def test_a_change_is_followed_and_no_change_reads_nothing() -> None:
    definitions = DefinitionsInMemory(own("a"))
    prices = ProjectPrices(definitions, refresh_seconds=0.001)
    await prices.look()
    following = asyncio.create_task(prices.run())
    definitions.models = [own("b")]
    await definitions.looked_at()
    assert meant(prices, MINE) == "b"
    definitions.models = []
    await definitions.looked_at()
    assert meant(prices, MINE) == "heliograph-gpt-4o"
    following.cancel()
    await prices.refresh()
    assert definitions.readings == 3


async def test_while_the_store_is_away_the_last_definitions_hold() -> None:
    definitions = DefinitionsInMemory(own("a"))
    prices = ProjectPrices(definitions, refresh_seconds=0.001)
    await prices.look()
    following = asyncio.create_task(prices.run())
    definitions.is_away = True
    await definitions.looked_at()
    assert meant(prices, MINE) == "a"
    definitions.models, definitions.is_away = [own("b")], False
    await definitions.looked_at()
    assert meant(prices, MINE) == "b"
    following.cancel()


async def test_nothing_is_priced_before_the_first_reading() -> None:
    definitions = DefinitionsInMemory(own("a"))
    definitions.is_away = True
    prices = ProjectPrices(definitions)
    await prices.look()
    with pytest.raises(Unavailable, match="model definitions"):
        prices.of(MINE)


async def test_a_pattern_that_cannot_be_compiled_costs_no_event() -> None:
    prices = ProjectPrices(DefinitionsInMemory(own("broken", "("), own("a")))
    await prices.refresh()
    assert meant(prices, MINE) == "a"
