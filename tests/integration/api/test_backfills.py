"""Recosts and exports through the API and the client: asked for, followed, fetched, and of one project alone."""

import asyncio
from pathlib import Path

import httpx
import pyarrow.parquet

from heliograph.domain.backfills import BackfillKind
from heliograph.settings import Settings
from pipelines import export
from storage.postgres.backfills import Backfills
from tests.integration.api.conftest import Api


async def carried(api: Api, settings: Settings) -> None:
    """What the chore does, without Ray."""
    backfills = Backfills(api.database)
    for backfill in await backfills.unfinished(BackfillKind.EXPORT):
        cut = await backfills.cut(backfill.id, await asyncio.to_thread(export.WORK.cut, settings, backfill))
        for number in range(len(cut.parts or ())):
            await export.write(settings, cut, number)
        await export.conclude(settings, cut, await backfills.reports(cut.id))
        await backfills.finish(cut.id)


async def test_an_export_is_asked_for_written_listed_and_fetched_with_its_checksums(
    api: Api, settings: Settings, tmp_path: Path
) -> None:
    api.stored.insert("traces", api.stored.trace("t1"), api.stored.trace("t2"))
    begun = (await api.client.post("/exports", json={"table": "traces", "select": ["id"]})).json()
    assert (begun["status"], begun["parts"]) == ("running", None)
    again = (await api.client.post("/exports", json={"table": "traces", "select": ["id"]})).json()
    assert again["id"] == begun["id"]
    await carried(api, settings)
    done = (await api.client.get(f"/exports/{begun['id']}")).json()
    assert (done["status"], done["rows"], done["columns"]) == ("done", 2, {"id": "string"})
    (file,) = done["files"]
    to = tmp_path / "fetched.parquet"
    to.write_bytes(httpx.get(file["url"], trust_env=False).content)
    assert sorted(pyarrow.parquet.read_table(to)["id"].to_pylist()) == ["t1", "t2"]
    assert httpx.get(done["manifest"]["url"], trust_env=False).json()["files"][0]["sha256"] == file["sha256"]
    listed = (await api.client.get("/exports")).json()["data"]
    assert [one["id"] for one in listed] == [begun["id"]]


async def test_what_cannot_be_exported_is_refused_when_it_is_asked(api: Api) -> None:
    for body in ({"table": "traces", "select": ["nonsense"]}, {"table": "secrets"}, {"table": "traces", "format": "x"}):
        assert (await api.client.post("/exports", json=body)).status_code == 400


async def test_a_recost_is_asked_for_and_shows_its_state(api: Api) -> None:
    asked = {"since": "2026-11-01T00:00:00Z", "model": "gpt-4o", "dryRun": True}
    begun = (await api.client.post("/recosts", json=asked)).json()
    assert (begun["status"], begun["dryRun"], begun["models"]) == ("running", True, {})
    shown = (await api.client.get(f"/recosts/{begun['id']}")).json()
    assert shown["asked"] == {"start": "2026-11-01T00:00:00+00:00", "end": None, "model": "gpt-4o"}
    assert [one["id"] for one in (await api.client.get("/recosts")).json()["data"]] == [begun["id"]]
    assert (await api.client.post("/recosts", json={"modle": "x"})).status_code == 400
    assert (await api.client.get(f"/exports/{begun['id']}")).status_code == 404


async def test_one_that_has_failed_says_why(api: Api) -> None:
    begun = (await api.client.post("/recosts", json={})).json()
    await Backfills(api.database).finish(begun["id"], error="out of luck")
    shown = (await api.client.get(f"/recosts/{begun['id']}")).json()
    assert (shown["status"], shown["error"]) == ("failed", "out of luck")
