"""Imports a project of a Langfuse server by its public API; ids and times stay, and repeating it changes nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from heliograph.client.connection import Connection
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.not_found import NotFound
from heliograph.imports.checkpoint import Checkpoint
from heliograph.imports.report import ImportReport
from heliograph.imports.target import ImportTarget, Json, event

_PAGE_SIZE = 100
_TRACE = ("id", "timestamp", "name", "userId", "sessionId", "metadata", "release", "version", "environment", "public",
          "tags", "input", "output")  # fmt: skip
_OBSERVATION = ("id", "traceId", "parentObservationId", "name", "startTime", "endTime", "completionStartTime",
                "version", "environment", "input", "output", "metadata", "level", "statusMessage", "model",
                "modelParameters", "usageDetails", "costDetails", "promptName", "promptVersion")  # fmt: skip
_SCORE = ("id", "name", "timestamp", "traceId", "observationId", "sessionId", "dataType", "comment", "metadata",
          "environment", "source", "queueId")  # fmt: skip
_CONFIG = ("name", "dataType", "categories", "minValue", "maxValue", "description")
_DATASET = ("name", "description", "metadata", "inputSchema", "expectedOutputSchema")
_ITEM = ("id", "datasetName", "input", "expectedOutput", "metadata", "sourceTraceId", "sourceObservationId", "status")
_PROMPT = ("name", "type", "prompt", "config", "tags", "commitMessage")
_TYPES = ("EVENT", "SPAN", "GENERATION", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL")


class LangfuseImport:
    """One project's way from a Langfuse server to ours.

    Args:
        source: the Langfuse server, with the keys of the project.
        target: ours.
        report: of what is taken.
        checkpoint: where it goes on.
        keeps_costs: whether observations cost what they do there, or what the prices here say.
    """

    def __init__(
        self,
        source: Connection,
        target: ImportTarget,
        report: ImportReport,
        *,
        checkpoint: Checkpoint,
        keeps_costs: bool = True,
    ) -> None:
        self._source = source
        self._target = target
        self._report = report
        self._checkpoint = checkpoint
        self._keeps_costs = keeps_costs
        self._configs: dict[str, str] = {}
        self._runs: dict[str, str] = {}

    def run(self) -> None:
        """Import everything, or go on with what was cut short.

        Raises:
            KeyUnknown, AccessDenied: the keys are not those of a project, here or there.
            Unavailable, TooManyStreams: a server did not answer for long; called again, it goes on from there.
        """
        self._score_configs()
        self._prompts()
        self._datasets()
        bound = {"toTimestamp": self._checkpoint.until}
        self._in_pages("traces", "/traces", self._trace, orderBy="timestamp.asc", **bound)
        self._in_pages("observations", "/observations", self._observation, toStartTime=self._checkpoint.until)
        self._dataset_runs()
        self._in_pages("scores", "/v2/scores", self._score, **bound)

    def _in_pages(self, kind: str, path: str, convert: Callable[[Json], Json | None], **asked: str) -> None:
        for page, things in self._pages(kind, path, **asked):
            self._target.events(kind, [made for thing in things if (made := convert(thing)) is not None])
            if not self._target.is_trial:
                self._checkpoint.advance(kind, page + 1)

    def _pages(self, kind: str, path: str, **asked: str) -> Iterator[tuple[int, list[Json]]]:
        page = self._checkpoint.page(kind)
        while True:
            query = urlencode({"page": page, "limit": _PAGE_SIZE, **asked})
            try:
                answer = self._source.request("GET", f"{path}?{query}")
            except (InvalidRequest, NotFound) as error:
                self._report.refuse(kind, "", f"the server does not list them: {error}")
                return
            self._report.see(kind, len(answer["data"]))
            yield page, answer["data"]
            if page >= int(answer["meta"]["totalPages"]):
                return
            page += 1

    def _all(self, kind: str, path: str, **asked: str) -> Iterator[Json]:
        for _, things in self._pages(kind, path, **asked):
            yield from things

    def _trace(self, trace: Json) -> Json | None:
        if trace.get("bookmarked"):
            self._report.refuse("bookmarks", trace["id"], "traces are bookmarked by people")
        return event("trace-create", trace["timestamp"], _chosen(trace, _TRACE))

    def _observation(self, observation: Json) -> Json | None:
        body = _chosen(observation, _OBSERVATION)
        if not self._keeps_costs:
            body.pop("costDetails", None)
        kind = observation["type"] if observation["type"] in _TYPES else "SPAN"
        if kind != observation["type"]:
            self._report.refuse("types", observation["id"], f"{observation['type']} became SPAN")
        return event(f"{kind.lower()}-create", observation["startTime"], body)

    def _score(self, score: Json) -> Json | None:
        body = _chosen(score, _SCORE)
        is_text = score["dataType"] in {"CATEGORICAL", "TEXT", "CORRECTION"}
        body["value"] = score.get("stringValue") if is_text else score.get("value")
        if config := self._configs.get(score.get("configId") or ""):
            body["configId"] = config
        elif body.get("source") == "ANNOTATION":
            # An annotation needs its config, which is not there.
            body["source"] = "API"
            self._report.refuse("sources", score["id"], "an annotation without its config became a score of the API")
        if run := score.get("datasetRunId"):
            if run not in self._runs and not self._target.is_trial:
                self._report.refuse("scores", score["id"], f"its dataset run {run} is not there")
                return None
            body["datasetRunId"] = self._runs.get(run, run)
        # Queues are not imported: whoever scored in one is told by nothing else.
        body.pop("queueId", None)
        return event("score-create", score["timestamp"], body)

    def _score_configs(self) -> None:
        known = {one["name"]: one["id"] for one in self._there("/score-configs")}
        for config in self._all("score configs", "/score-configs"):
            own = known.get(config["name"])
            if own is None:
                body = _chosen(config, _CONFIG)
                if config["dataType"] != "CATEGORICAL":
                    body.pop("categories", None)
                made = self._target.put("score configs", config["id"], path="/score-configs", body=body)
                own = made["id"] if made else None
            if own is not None:
                self._configs[config["id"]] = own

    def _prompts(self) -> None:
        for listed in self._all("prompts", "/v2/prompts"):
            path = f"/v2/prompts/{quote(listed['name'], safe='')}"
            there = self._there("/v2/prompts", name=listed["name"])
            known = {version for one in there if one["name"] == listed["name"] for version in one["versions"]}
            for version in sorted(listed["versions"]):
                if version in known:
                    continue
                prompt = self._source.request("GET", f"{path}?version={version}&resolve=false")
                body = _chosen(prompt, _PROMPT)
                body["labels"] = [label for label in prompt["labels"] if label != "latest"]
                made = self._target.put("prompt versions", f"{listed['name']} {version}", path="/v2/prompts", body=body)
                if made and made["version"] != version:
                    became = f"version {version} became {made['version']}"
                    self._report.refuse("prompt versions", listed["name"], became)

    def _datasets(self) -> None:
        for dataset in self._all("datasets", "/v2/datasets"):
            self._target.put("datasets", dataset["name"], path="/v2/datasets", body=_chosen(dataset, _DATASET))
            for item in self._all("dataset items", "/dataset-items", datasetName=dataset["name"]):
                self._target.put("dataset items", item["id"], path="/dataset-items", body=_chosen(item, _ITEM))

    def _dataset_runs(self) -> None:
        for dataset in self._all("datasets of runs", "/v2/datasets"):
            path = f"/datasets/{quote(dataset['name'], safe='')}/runs"
            for run in self._all("dataset runs", path):
                self._dataset_run(f"{path}/{quote(run['name'], safe='')}")

    def _dataset_run(self, path: str) -> None:
        run = self._source.request("GET", path)
        there = self._target.read(path)
        known = {(one["datasetItemId"], one["traceId"]) for one in (there or {}).get("datasetRunItems", ())}
        own = there["id"] if there else None
        for item in run["datasetRunItems"]:
            self._report.see("dataset run items")
            if (item["datasetItemId"], item["traceId"]) in known:
                continue
            body = _chosen(item, ("datasetItemId", "traceId", "observationId", "createdAt"))
            body |= {"runName": run["name"]} | _chosen(run, ("metadata",))
            if run.get("description"):
                body["runDescription"] = run["description"]
            made = self._target.put("dataset run items", item["id"], path="/dataset-run-items", body=body)
            own = made["datasetRunId"] if made else own
        if own is not None:
            self._runs[run["id"]] = own

    def _there(self, path: str, **asked: str) -> Iterable[Json]:
        """What the target has already, up to its greatest page."""
        page = 1
        while True:
            answer: Any = self._target.read(f"{path}?{urlencode({'page': page, 'limit': _PAGE_SIZE, **asked})}")
            if answer is None:
                return
            yield from answer["data"]
            if page >= int(answer["meta"]["totalPages"]):
                return
            page += 1


def _chosen(thing: Mapping[str, Any], names: Iterable[str]) -> Json:
    """These fields, as far as they say anything."""
    return {name: thing[name] for name in names if thing.get(name) not in (None, [], {})}
