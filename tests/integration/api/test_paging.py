"""Lists are read to their end while rows arrive: what was there is seen once."""

from datetime import timedelta
from typing import Any

from tests.factories import NOON
from tests.integration.api.conftest import Api

MINUTE = timedelta(minutes=1)


async def pages(api: Api, path: str, **params: Any) -> list[str]:
    """The ids on all pages, between which newer rows arrive, and older ones are written again."""
    seen: list[str] = []
    number, total = 1, 1
    while number <= total:
        got = (await api.client.get(path, params=params | {"page": number, "limit": 3})).json()
        seen += [each["id"] for each in got["data"]]
        number, total = number + 1, got["meta"]["totalPages"]
        arrive(api, number)
        if number > 20:
            break
    return seen


def arrive(api: Api, number: int) -> None:
    later = NOON + timedelta(hours=number)
    api.stored.insert("traces", api.stored.trace(f"new{number}", timestamp=later), api.stored.trace("t0", name="again"))
    api.stored.insert(
        "observations",
        api.stored.observation("new", f"new{number}", start_time=later),
        api.stored.observation("t", "o0", name="again"),
    )


def ten(api: Api) -> None:
    api.stored.insert("traces", *(api.stored.trace(f"t{n}", timestamp=NOON + n * MINUTE) for n in range(10)))
    rows = (api.stored.observation("t", f"o{n}", start_time=NOON + n // 3 * MINUTE) for n in range(10))
    api.stored.insert("observations", *rows)


async def test_numbered_pages_of_a_bounded_time_are_stable(api: Api) -> None:
    ten(api)
    until = (NOON + timedelta(hours=1)).isoformat()
    assert await pages(api, "/traces", toTimestamp=until) == [f"t{n}" for n in reversed(range(10))]
    observations = await pages(api, "/observations", toStartTime=until)
    assert sorted(observations) == [f"o{n}" for n in range(10)]


async def test_numbered_pages_from_the_oldest_are_stable_without_bounds(api: Api) -> None:
    ten(api)
    seen = await pages(api, "/traces", orderBy="timestamp.asc", limit=3)
    assert len(seen) == len(set(seen))
    assert seen[:10] == [f"t{n}" for n in range(10)]


async def test_a_cursor_passes_over_what_arrives_meanwhile(api: Api) -> None:
    ten(api)
    seen: list[str] = []
    cursor, number = "", 1
    while number < 20:
        got = (await api.client.get("/v2/observations", params={"limit": 3, "cursor": cursor})).json()
        seen += [each["id"] for each in got["data"]]
        number += 1
        arrive(api, number)
        if "cursor" not in got["meta"]:
            break
        cursor = got["meta"]["cursor"]
    assert sorted(seen) == [f"o{n}" for n in range(10)]
