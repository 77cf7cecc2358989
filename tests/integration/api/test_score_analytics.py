"""Score analytics: sums of ClickHouse give what scipy, statsmodels and krippendorff give of the values themselves."""

from datetime import timedelta
from typing import Any

import krippendorff
import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from tests.factories import NOON
from tests.integration.api.conftest import Api


def exactly(value: Any) -> Any:
    return pytest.approx(value, abs=1e-6)


async def asked(api: Api, what: str, **body: Any) -> dict[str, Any]:
    answer = await api.client.post(f"/score-analytics/{what}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rated(api: Api, name: str, values: dict[str, float], **more: Any) -> None:
    """Scores of one rater, by trace."""
    version = more.get("evaluator_version", "")
    rows = [
        api.stored.score(f"{name}-{version}-{trace}", name=name, trace_id=trace, value=value, **more)
        for trace, value in values.items()
    ]
    api.stored.insert("scores", *rows)


def truths(api: Api, name: str, values: dict[str, bool], **more: Any) -> None:
    for truth in (True, False):
        chosen = {trace: float(value) for trace, value in values.items() if value is truth}
        if chosen:
            rated(api, name, chosen, data_type="BOOLEAN", string_value=str(truth), **more)


@pytest.fixture
def numbers(api: Api) -> tuple[np.ndarray, np.ndarray]:
    """A person's and a judge's numbers with ties, of which some traces have one alone."""
    rng = np.random.default_rng(7)
    human = rng.integers(1, 6, 300).astype(float)
    judge = np.clip(human + rng.integers(-1, 2, 300), 1, 5).astype(float)
    rated(api, "human", {f"t{at}": value for at, value in enumerate(human)} | {f"h{at}": 1.0 for at in range(5)})
    rated(
        api,
        "judge",
        {f"t{at}": value for at, value in enumerate(judge)} | {f"j{at}": 2.0 for at in range(7)},
        evaluator_version="v1",
    )
    return human, judge


PAIR = {"raters": [{"name": "human"}, {"name": "judge"}]}


async def test_numbers_agree_as_scipy_says(api: Api, numbers: tuple[np.ndarray, np.ndarray]) -> None:
    human, judge = numbers
    (pair,) = (await asked(api, "agreement", **PAIR))["pairs"]
    assert pair["counts"] == {"n": 300, "failed": 0, "skipped": 12}
    assert (pair["firstVersion"], pair["secondVersion"], pair["mixesVersions"]) == ("", "v1", False)
    found = pair["numbers"]
    pearson = stats.pearsonr(human, judge)
    interval = pearson.confidence_interval()
    assert found["pearson"]["value"] == exactly(pearson.statistic)
    assert [found["pearson"][edge] for edge in ("low", "high")] == exactly([interval.low, interval.high])
    assert found["spearman"]["value"] == exactly(stats.spearmanr(human, judge).statistic)
    assert found["meanAbsoluteError"]["value"] == exactly(np.abs(judge - human).mean())
    bias = stats.ttest_1samp(judge - human, 0).confidence_interval()
    assert [found["bias"][edge] for edge in ("low", "high")] == exactly([bias.low, bias.high])


async def test_labels_agree_as_statsmodels_says(api: Api, numbers: tuple[np.ndarray, np.ndarray]) -> None:
    cells, _, _ = np.histogram2d(*numbers, bins=[np.arange(0.5, 6)] * 2)
    (pair,) = (await asked(api, "agreement", **PAIR))["pairs"]
    found = pair["labels"]
    assert found["categories"] == ["1", "2", "3", "4", "5"]
    assert np.array(found["cells"]).tolist() == cells.tolist()
    for name, weights in (("kappa", None), ("linearKappa", "linear"), ("quadraticKappa", "quadratic")):
        assert found[name]["value"] == exactly(cohens_kappa(cells, wt=weights).kappa)
    three = found["byLabel"][2]
    assert three["f1"] == exactly(2 * cells[2, 2] / (cells[2].sum() + cells[:, 2].sum()))


async def test_alpha_of_three_raters_with_gaps_is_krippendorffs(api: Api) -> None:
    rng = np.random.default_rng(3)
    ratings = rng.integers(1, 5, (3, 80)).astype(float)
    ratings[1] = np.where(rng.random(80) < 0.7, ratings[0], ratings[1])
    ratings[rng.random(ratings.shape) < 0.2] = np.nan
    for rater, row in enumerate(ratings):
        rated(api, f"r{rater}", {f"t{at}": value for at, value in enumerate(row) if not np.isnan(value)})
    found = (await asked(api, "agreement", raters=[{"name": f"r{rater}"} for rater in range(3)]))["alpha"]
    usable = ratings[:, (~np.isnan(ratings)).sum(axis=0) > 1]
    for level in ("nominal", "ordinal", "interval"):
        expected = krippendorff.alpha(reliability_data=usable, level_of_measurement=level)
        assert found[level]["value"] == exactly(expected), level
    assert found["nominal"]["counts"]["n"] == usable.shape[1]
    assert not found["mixesVersions"]


async def test_versions_of_an_evaluator_are_kept_apart_and_what_mixes_them_is_marked(api: Api) -> None:
    truths(api, "human", {f"t{at}": at % 2 == 0 for at in range(10)})
    truths(api, "judge", {f"t{at}": at % 2 == 0 for at in range(10)}, evaluator_version="right")
    truths(api, "judge", {f"t{at}": True for at in range(6)}, evaluator_version="yes", timestamp=NOON + timedelta(1))
    found = await asked(api, "agreement", **PAIR)
    shown = [
        (pair["secondVersion"], pair["mixesVersions"], pair["counts"]["n"], pair["labels"]["accuracy"]["value"])
        for pair in found["pairs"]
    ]
    assert shown == [("right", False, 10, 1.0), ("yes", False, 6, 0.5), ("", True, 10, 0.7)]
    assert found["alpha"]["mixesVersions"]


async def test_a_score_of_an_observation_meets_one_of_its_trace_only_when_traces_are_matched(api: Api) -> None:
    rated(api, "human", {"a": 1.0, "b": 2.0})
    rated(api, "judge", {"a": 1.0, "b": 3.0}, observation_id="root")
    assert (await asked(api, "agreement", **PAIR))["pairs"] == []
    (pair,) = (await asked(api, "agreement", **PAIR, match="trace"))["pairs"]
    assert (pair["counts"]["n"], pair["numbers"]["bias"]["value"]) == (2, 0.5)


async def test_a_judge_is_calibrated_and_its_prevalence_corrected(api: Api) -> None:
    # 40 of 50 true ones are found, 45 of 50 false ones; of 900 others the judge calls 400 true.
    human = {f"t{at}": at < 50 for at in range(100)}
    truths(api, "human", human, source="ANNOTATION")
    judge = {f"t{at}": at < 40 or at >= 95 for at in range(100)} | {f"u{at}": at < 400 for at in range(900)}
    truths(api, "judge", judge, evaluator_version="v1", source="EVAL")
    (found,) = (await asked(api, "calibration", judge={"name": "judge"}, human={"name": "human"}))["versions"]
    assert (found["sensitivity"]["value"], found["specificity"]["value"]) == (0.8, 0.9)
    assert found["apparent"]["value"] == exactly(0.445)
    assert found["corrected"]["value"] == exactly((0.445 + 0.9 - 1) / 0.7)
    assert found["corrected"]["low"] < 345 / 700 < found["corrected"]["high"]
    assert found["agreement"]["counts"] == {"n": 100, "failed": 0, "skipped": 900}


async def test_a_judge_of_numbers_is_corrected_by_its_mean_error(api: Api) -> None:
    rng = np.random.default_rng(11)
    truth = rng.normal(3, 1, 400)
    verdicts = truth + 0.5 + rng.normal(0, 0.2, 400)
    rated(api, "human", {f"t{at}": value for at, value in enumerate(truth[:100])})
    rated(api, "judge", {f"t{at}": value for at, value in enumerate(verdicts)})
    (found,) = (await asked(api, "calibration", judge={"name": "judge"}, human={"name": "human"}))["versions"]
    expected = verdicts[100:].mean() - (verdicts[:100] - truth[:100]).mean()
    assert found["bias"]["value"] == exactly((verdicts[:100] - truth[:100]).mean())
    assert found["corrected"]["value"] == exactly(expected)
    assert found["apparent"]["value"] == exactly(verdicts.mean())


async def test_distribution_and_trend_tell_versions_apart(api: Api) -> None:
    rated(api, "quality", {"a": 0.0, "b": 0.5}, evaluator_version="v1")
    rated(api, "quality", {"c": 1.0}, evaluator_version="v2", timestamp=NOON + timedelta(days=1))
    found = await asked(api, "distribution", name="quality", bins=2)
    assert [(one["version"], one["mean"]["value"], one["median"]) for one in found["versions"]] == [
        ("v1", 0.25, 0.25),
        ("v2", 1.0, 1.0),
    ]
    assert [(one["version"], one["start"], one["end"], one["n"]) for one in found["bins"]] == [
        ("v1", 0.0, 0.5, 1),
        ("v1", 0.5, 1.0, 1),
        ("v2", 0.5, 1.0, 1),
    ]
    points = (await asked(api, "trend", names=["quality"]))["points"]
    assert [(point["version"], point["mean"]["counts"]["n"]) for point in points] == [("v1", 2), ("v2", 1)]
    only = {"type": "string", "column": "evaluatorVersion", "operator": "=", "value": "v2"}
    assert len((await asked(api, "distribution", name="quality", where=only))["versions"]) == 1
