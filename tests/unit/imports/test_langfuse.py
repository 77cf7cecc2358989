"""An import from a Langfuse server: what it asks, what becomes of each thing, and how it goes on."""

from pathlib import Path

import httpx
import pytest

from heliograph.client.connection import Connection, Server
from heliograph.domain.errors import AccessDenied
from heliograph.imports.checkpoint import Checkpoint
from heliograph.imports.langfuse import LangfuseImport
from heliograph.imports.report import ImportReport
from tests.unit.imports.platforms import AT, LANGFUSE, LangfuseServer, OurServer


def imported(
    source: LangfuseServer,
    ours: OurServer,
    *,
    state: Path | None = None,
    is_trial: bool = False,
    keeps_costs: bool = True,
) -> ImportReport:
    report = ImportReport()
    checkpoint = Checkpoint(state, "langfuse")
    target = ours.target(report, is_trial=is_trial)
    LangfuseImport(source.connection, target, report, checkpoint=checkpoint, keeps_costs=keeps_costs).run()
    return report


def test_everything_is_taken_with_its_ids_and_times() -> None:
    ours = OurServer()
    report = imported(LangfuseServer(), ours)
    assert report.taken == {
        "score configs": 1, "prompt versions": 2, "datasets": 1, "dataset items": 1, "traces": 150, "observations": 1,
        "dataset run items": 1, "scores": 3,
    }  # fmt: skip
    events = ours.events()
    trace, call = events["trace-7"], events["call"]
    assert (trace["type"], trace["timestamp"], trace["body"]["sessionId"]) == ("trace-create", AT, "s")
    assert (call["type"], call["body"]["traceId"], call["body"]["costDetails"]) == (
        "generation-create", "trace-0", {"total": 0.5},
    )  # fmt: skip
    assert [body["prompt"] for path, body in ours.posted if path == "/v2/prompts"] == ["v1", "v2"]
    assert [body["labels"] for path, body in ours.posted if path == "/v2/prompts"] == [[], ["production"]]
    assert next(body["id"] for path, body in ours.posted if path == "/dataset-items") == "item"


def test_scores_name_our_configs_and_runs_and_keep_the_form_of_their_value() -> None:
    ours = OurServer()
    report = imported(LangfuseServer(), ours)
    first, second, third = (ours.events()[f"s{number}"]["body"] for number in (1, 2, 3))
    assert (first["configId"], first["value"], first["source"]) == ("our-right", 1, "ANNOTATION")
    assert (second["datasetRunId"], second["value"]) == ("our-run", "warm")
    assert (third["source"], "configId" in third) == ("API", False)
    assert {(one.kind, one.id) for one in report.refused} == {("bookmarks", "trace-0"), ("sources", "s3")}


def test_repeated_it_sends_the_same_events_under_the_same_ids_and_no_second_version_of_a_prompt() -> None:
    first, second = OurServer(), OurServer(held={"/v2/prompts": [{"name": "a/b", "versions": [1, 2]}]})
    imported(LangfuseServer(), first)
    imported(LangfuseServer(), second)
    assert first.events() == second.events()
    assert not [path for path, _ in second.posted if path == "/v2/prompts"]


def test_cut_short_it_goes_on_with_the_page_that_was_not_stored(tmp_path: Path) -> None:
    source, ours, state = LangfuseServer(), OurServer(), tmp_path / "state"
    cut = httpx.Response(403, json={"message": "enough"})
    source_of_first_page = LangfuseServer()

    def until_second_page(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/traces") and request.url.params["page"] == "2":
            return cut
        return source_of_first_page(request)

    report = ImportReport()
    connection = Connection(Server("http://here", "pk", "sk"), httpx.MockTransport(until_second_page))
    with pytest.raises(AccessDenied):
        LangfuseImport(connection, ours.target(report), report, checkpoint=Checkpoint(state, "langfuse")).run()
    imported(source, ours, state=state)
    assert [asked for asked in source.asked if asked.startswith("/traces")] == ["/traces 2"]
    assert len([name for name in ours.events() if name.startswith("trace-")]) == len(LANGFUSE["/traces"])


def test_a_server_that_asks_for_patience_gets_it() -> None:
    source = LangfuseServer()
    source.answers.extend(httpx.Response(429, headers={"retry-after": "0"}) for _ in range(3))
    assert imported(source, OurServer()).taken["traces"] == len(LANGFUSE["/traces"])


def test_a_dry_run_reads_all_and_stores_nothing() -> None:
    ours = OurServer()
    report = imported(LangfuseServer(), ours, is_trial=True)
    assert ours.posted == []
    assert (report.read["traces"], report.taken["traces"], report.taken["scores"]) == (150, 150, 3)


def test_what_is_refused_and_what_the_server_does_not_list_is_told() -> None:
    source, ours = LangfuseServer(missing={"/observations"}), OurServer(refused=frozenset({"trace-3"}))
    report = imported(source, ours)
    assert report.taken["traces"] == len(LANGFUSE["/traces"]) - 1
    told = {(one.kind, one.id): one.reason for one in report.refused}
    assert told["traces", "trace-3"] == "no"
    assert "events_only" in told["observations", ""]


def test_costs_are_left_to_our_prices_when_asked() -> None:
    ours = OurServer()
    imported(LangfuseServer(), ours, keeps_costs=False)
    assert "costDetails" not in ours.events()["call"]["body"]
