"""Agreement of annotators, from the scores of a queue."""

import math
from typing import Any

import pyarrow as pa
import pytest

from dashboard.queries.agreement import agreements
from heliograph.domain.score_configs import TRUTHS, ScoreConfig
from heliograph.domain.scores import ScoreDataType

SAFE = ScoreConfig(id="safe", name="safe", data_type=ScoreDataType.BOOLEAN, categories=TRUTHS)
STARS = ScoreConfig(id="stars", name="stars", data_type=ScoreDataType.NUMERIC)
NOTE = ScoreConfig(id="note", name="note", data_type=ScoreDataType.TEXT)


def _scores(config: ScoreConfig, **by_author: list[float]) -> list[dict[str, Any]]:
    return [
        {
            "config_id": config.id, "author_user_id": author, "trace_id": f"t{place}", "observation_id": "",
            "session_id": "", "value": value,
        }
        for author, values in by_author.items()
        for place, value in enumerate(values)
    ]  # fmt: skip


def test_two_people_have_kappa_and_alpha_on_what_both_scored() -> None:
    rows = _scores(SAFE, ada=[1, 1, 0, 0, 1], bob=[1, 0, 0, 0])
    (found,) = agreements([SAFE, NOTE], pa.Table.from_pylist(rows))
    assert (found.raters, found.alpha.counts.n, found.alpha.counts.skipped) == (2, 4, 1)
    assert found.kappa is not None
    # Three of four agree; chance gives (2 · 1 + 2 · 3) / 16.
    assert found.kappa.value == pytest.approx(0.5)
    assert found.kappa.low < found.kappa.value < found.kappa.high


def test_numbers_agree_by_their_distance() -> None:
    rows = _scores(STARS, ada=[1, 2, 3, 4], bob=[1, 2, 3, 5], cleo=[1, 2, 3, 4])
    (found,) = agreements([STARS], pa.Table.from_pylist(rows))
    assert found.kappa is None
    assert 0.9 < found.alpha.value < 1


def test_one_person_alone_agrees_with_nobody() -> None:
    (found,) = agreements([SAFE], pa.Table.from_pylist(_scores(SAFE, ada=[1, 0])))
    assert (found.raters, found.alpha.counts.n) == (1, 0)
    assert math.isnan(found.alpha.value)
