"""Scores that name a config, through both doors: held against it, and whoever breaks it is told."""

from collections.abc import Collection, Mapping
from typing import Any

import httpx
import pytest

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MaskingRule, RuleKind
from heliograph.domain.score_configs import TRUTHS, Category, ScoreConfig
from heliograph.domain.scores import ScoreDataType
from heliograph.settings import IngestSettings
from ingestion.masking.callback import Callbacks
from serve_apps.ingest.dependencies import IngestDependencies
from tests.unit.serve_apps.doors import SCORES, KeptInMemory, KeysInMemory, StoredInMemory, in_front_of
from tests.unit.serve_apps.test_masked_doors import Rewriting, RulesOfTheProject

BATCH = "/api/public/ingestion"
CONFIGS = {
    "rate": ScoreConfig(name="rate", data_type=ScoreDataType.NUMERIC, min_value=0, max_value=1),
    "open": ScoreConfig(name="open", data_type=ScoreDataType.NUMERIC),
    "mood": ScoreConfig(
        name="mood", data_type=ScoreDataType.CATEGORICAL, categories=(Category("bad", 1), Category("good", 7))
    ),
    "ok": ScoreConfig(name="ok", data_type=ScoreDataType.BOOLEAN, categories=TRUTHS),
    "note": ScoreConfig(name="note", data_type=ScoreDataType.TEXT),
    "old": ScoreConfig(name="old", data_type=ScoreDataType.NUMERIC, is_archived=True),
}


class ConfigsInMemory:
    """The configs of one project; counts how often it is asked."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.asked = 0
        self._is_away = is_away

    async def of(self, project_id: ProjectId, config_ids: Collection[str]) -> Mapping[str, ScoreConfig]:
        self.asked += 1
        if self._is_away:
            raise Unavailable("PostgreSQL", 5.0)
        known = CONFIGS if project_id == "project-1" else {}
        return {each: known[each] for each in config_ids if each in known}


def score(config_id: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"id": "s", "name": config_id, "value": value, "traceId": "t", "configId": config_id, **more}


def event(event_id: str, **body: Any) -> dict[str, Any]:
    return {"id": event_id, "type": "score-create", "timestamp": "2026-11-20T12:00:00.000Z", "body": body}


def door(
    kept: KeptInMemory, configs: ConfigsInMemory | None = None, *, slice_above: int = 1 << 20
) -> httpx.AsyncClient:
    dependencies = IngestDependencies(
        KeysInMemory(),
        kept,
        StoredInMemory(),
        IngestSettings(slice_above_bytes=slice_above),
        score_configs=configs or ConfigsInMemory(),
    )
    return in_front_of(dependencies)


def row(kept: KeptInMemory) -> tuple[str, float, str]:
    (found,) = kept.batches[0].scores.to_pylist()
    return found["data_type"], found["value"], found["string_value"]


GIVEN = [
    (score("rate", 0.5), ("NUMERIC", 0.5, "")),
    (score("open", -1e9), ("NUMERIC", -1e9, "")),
    (score("mood", "good"), ("CATEGORICAL", 7.0, "good")),
    (score("ok", 1), ("BOOLEAN", 1.0, "True")),
    (score("note", "a note"), ("TEXT", 0.0, "a note")),
    (score("ok", 0, dataType="BOOLEAN", source="ANNOTATION"), ("BOOLEAN", 0.0, "False")),
]
BROKEN = [
    (score("none", 1), "configId"),
    (score("old", 1), "configId"),
    (score("rate", 1, name="other"), "name"),
    (score("rate", 2), "value"),
    (score("rate", -0.1), "value"),
    (score("rate", "much"), "value"),
    (score("rate", 1, dataType="BOOLEAN"), "dataType"),
    (score("mood", "fair"), "value"),
    (score("mood", 7), "value"),
    (score("ok", 2), "value"),
    (score("note", "x" * 501), "value"),
    (score("\0", 1), "configId"),
]


@pytest.mark.parametrize(("sent", "stored"), GIVEN)
async def test_a_score_gets_its_type_and_number_from_its_config(
    sent: dict[str, Any], stored: tuple[str, float, str]
) -> None:
    single, array, batch = KeptInMemory(), KeptInMemory(), KeptInMemory()
    assert (await door(single).post(SCORES, json=sent)).status_code == 200
    assert (await door(array).post(SCORES, json=[sent])).status_code == 202
    assert (await door(batch).post(BATCH, json={"batch": [event("e", **sent)]})).json()["errors"] == []
    assert row(single) == row(array) == row(batch) == stored


@pytest.mark.parametrize(("sent", "field"), BROKEN)
async def test_a_single_score_that_breaks_its_config_is_a_400_that_names_the_field(
    sent: dict[str, Any], field: str
) -> None:
    kept = KeptInMemory()
    answer = await door(kept).post(SCORES, json=sent)
    assert (answer.status_code, answer.json()["error"][0]["path"]) == (400, [field])
    assert kept.batches == []


@pytest.mark.parametrize(("sent", "field"), BROKEN)
@pytest.mark.parametrize("slice_above", [10, 1_000_000])
async def test_whoever_breaks_a_config_costs_no_neighbour(sent: dict[str, Any], field: str, slice_above: int) -> None:
    good = [score("rate", 1, id="first"), {"id": "last", "name": "free", "value": 9, "traceId": "t"}]
    kept = KeptInMemory()
    answer = await door(kept, slice_above=slice_above).post(SCORES, json=[good[0], {}, sent, good[1]])
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (207, 2, 2)
    assert answer.json()["errors"][1]["message"].startswith(f"Score 2: {field} ")
    assert kept.ids() == ["first", "last"]
    kept = KeptInMemory()
    events = [event("a", **good[0]), event("b", **sent), event("c", **good[1])]
    told = (await door(kept, slice_above=slice_above).post(BATCH, json={"batch": events})).json()
    assert [each["id"] for each in told["successes"]] == ["a", "c"]
    assert (told["errors"][0]["id"], told["errors"][0]["status"]) == ("b", 400)
    assert told["errors"][0]["error"].startswith(f"{field} ")
    assert kept.ids() == ["first", "last"]


async def test_scores_without_a_config_ask_for_none() -> None:
    configs, kept = ConfigsInMemory(is_away=True), KeptInMemory()
    free = {"id": "s", "name": "free", "value": 9, "traceId": "t"}
    assert (await door(kept, configs).post(SCORES, json=[free])).status_code == 202
    assert (await door(kept, configs).post(BATCH, json={"batch": [event("e", **free)]})).status_code == 207
    assert configs.asked == 0


async def test_a_score_that_cannot_be_checked_is_not_acknowledged() -> None:
    kept = KeptInMemory()
    away = door(kept, ConfigsInMemory(is_away=True))
    assert (await away.post(SCORES, json=score("rate", 1))).status_code == 503
    assert (await away.post(BATCH, json={"batch": [event("e", **score("rate", 1))]})).status_code == 503
    assert kept.batches == []


async def test_a_masking_callback_leaves_what_the_config_gave() -> None:
    kept = KeptInMemory()
    callback = MaskingRule("c", RuleKind.CALLBACK, "https://mask.example/", is_fail_closed=True)
    dependencies = IngestDependencies(
        KeysInMemory(),
        kept,
        StoredInMemory(),
        maskings=RulesOfTheProject((callback,)),
        callbacks=Callbacks(Rewriting()),
        score_configs=ConfigsInMemory(),
    )
    events = [event("a", **score("mood", "good")), event("b", **score("ok", 1))]
    answer = await in_front_of(dependencies).post(BATCH, json={"batch": events})
    assert answer.json()["errors"] == []
    rows = [row for batch in kept.batches for row in batch.scores.to_pylist()]
    assert [(row["data_type"], row["value"]) for row in rows] == [("CATEGORICAL", 7.0), ("BOOLEAN", 1.0)]
