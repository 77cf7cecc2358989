"""Lists are read to their end, part by part: nothing that was there is left out, whatever arrives meanwhile."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from tests.integration.api.access.routes import query_routes
from tests.integration.api.conftest import Api
from tests.integration.api.walks.lists import LISTS
from tests.integration.api.walks.walking import List, Style, World, key, style_of, walk

THINGS = 8
# Between so many parts something arrives; afterwards a walk comes to its end.
BUSY = 4
PAGED = {str(route): style for route in query_routes() if route.method == "GET" and (style := style_of(route))}
# One of each way in which lists are read and kept; all of them take two minutes.
SAMPLE = {"/traces", "/v2/observations", "/v3/scores", "/dataset-items", "/v2/prompts", "/v2/evaluators", "/scim/Users"}


def parameters(lists: Iterable[List]) -> list[Any]:
    """The lists, all but a sample of them slow."""
    return [pytest.param(each, id=str(each), marks=[] if each.path in SAMPLE else pytest.mark.slow) for each in lists]


every_list = pytest.mark.parametrize("listed", parameters(LISTS))


async def filled(api: Api, listed: List, things: int = THINGS) -> World:
    """A project in which the list has some things."""
    world = World(api)
    if listed.prepare is not None:
        await listed.prepare(world)
    for number in range(things):
        await listed.add(world, number)
    return world


def paging(listed: List) -> Style:
    return PAGED[key(listed)]


def test_every_list_that_is_read_in_parts_is_walked() -> None:
    assert {key(listed) for listed in LISTS} == PAGED.keys()


@every_list
async def test_a_list_at_rest_is_read_once_in_whole_parts(api: Api, listed: List) -> None:
    world = await filled(api, listed)

    walked = await walk(world, listed, paging(listed))

    assert len(walked.seen) == len(set(walked.seen)) >= THINGS
    assert {len(part) for part in walked.parts[:-1]} <= {listed.limit}
    assert set(walked.totals) <= {len(walked.seen), None}


@every_list
async def test_nothing_that_was_there_is_left_out_while_other_things_arrive(api: Api, listed: List) -> None:
    world = await filled(api, listed)
    there = (await walk(world, listed, paging(listed))).seen

    async def arrive(turn: int) -> None:
        if turn <= BUSY:
            # After everything that is there, before it, and in the place of something.
            for number in (100 + turn, -turn, *([turn] if listed.is_put else [])):
                await listed.add(world, number)

    seen = Counter((await walk(world, listed, paging(listed), arrive)).seen)

    assert set(there) - seen.keys() == set()
    again = {name for name in there if seen[name] > 1}
    assert not (again and listed.is_once), again


@pytest.mark.parametrize("listed", parameters({listed.path: listed for listed in LISTS}.values()))
async def test_beyond_the_end_there_is_nothing_and_a_wrong_place_is_refused(api: Api, listed: List) -> None:
    world, paged = await filled(api, listed, 1), paging(listed)

    async def ask(**asked: Any) -> Any:
        params = {name: str(value).format(**world.ids) for name, value in listed.params.items()}
        return await api.client.get(listed.path.format(**world.ids), params=params | asked, auth=world.auth(listed.of))

    if paged.parameter != "cursor":
        place = {paged.parameter: 1_000, paged.size: 50}
        beyond = await ask(**place)
        assert (beyond.status_code, paged.read(place, beyond.json()).things) == (200, [])
    # SCIM takes a number for the nearest that it knows.
    refused: list[dict[str, Any]] = (
        [{paged.size: -1}, {paged.size: 1_000_000}] if paged.parameter != "startIndex" else []
    )
    for wrong in [{paged.parameter: "nonsense"}, *refused]:
        assert (await ask(**wrong)).status_code == 400, wrong
