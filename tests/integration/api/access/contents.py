"""Something of everything that a tenant can have, marked."""

import hashlib
from base64 import b64encode
from datetime import timedelta
from typing import Any

import httpx

from heliograph.domain.access import Role
from heliograph.domain.evaluation_jobs import NewJob, Target
from heliograph.domain.evaluation_rules import RuleTarget
from storage.postgres.evaluation_jobs import EvaluationJobs
from storage.postgres.memberships import OrganizationMembers
from storage.postgres.users import Users
from tests.integration.api.access.tenants import Doors, Tenant, empty_tenant
from tests.integration.clickhouse.stored import Stored

FILE = b"\x89PNG of a tenant"


async def full_tenant(doors: Doors) -> Tenant:
    """A tenant that has something of everything."""
    tenant = await empty_tenant(doors.database)
    await Contents(doors, tenant).all()
    return tenant


class Contents:
    """Fills a tenant: through the API whatever the API takes, and as a lane would what is ingested."""

    def __init__(self, doors: Doors, tenant: Tenant) -> None:
        self._doors = doors
        self._tenant = tenant
        self._mark = tenant.mark
        self._ids = tenant.ids
        self._word = tenant.word

    async def all(self) -> None:
        self._events()
        await self._members()
        await self._prompts()
        await self._datasets()
        await self._annotation()
        await self._configuration()
        await self._media()
        await self._dashboards()
        await self._evaluation()
        await self._evaluation_run()
        await self._backfills()
        await self._blob_storage()

    async def _put(self, path: str, body: dict[str, Any], method: str = "POST", *, of: str = "project") -> Any:
        auth = self._tenant.auth if of == "project" else self._tenant.organization_auth
        answer = await self._doors.query.request(method, path, json=body, auth=auth)
        assert answer.is_success, (path, answer.text)
        return answer.json()

    def _events(self) -> None:
        stored = Stored(self._doors.settings)
        stored.project_id = self._tenant.project.id
        trace, observation, session = f"t-{self._word}", f"o-{self._word}", f"s-{self._word}"
        contents = {"input": f'"{self._mark}"', "output": self._mark}
        named = {"name": f"of {self._mark}", "session_id": session, "user_id": f"u {self._mark}"}
        experiment = [
            ("langfuse.experiment.id", "e1"),
            ("langfuse.experiment.name", f"experiment {self._mark}"),
            ("langfuse.experiment.item.id", "i1"),
            ("langfuse.experiment.item.root_observation_id", observation),
        ]
        stored.insert("traces", stored.trace(trace, **named, **contents))
        observed = stored.observation(trace, observation, metadata=experiment, **named, **contents)
        stored.insert("observations", observed)
        stored.insert("scores", stored.score(f"c-{self._word}", trace_id=trace, comment=self._mark, name=self._mark))
        self._ids |= {
            "traces.trace_id": trace,
            "observations.observation_id": observation,
            "sessions.session_id": session,
            "scores.score_id": f"c-{self._word}",
            "data.table": "observations",
        }

    async def _members(self) -> None:
        user = await Users(self._doors.database).create(f"{self._word}@example.org", self._mark)
        project = self._tenant.project
        await OrganizationMembers(self._doors.database, project.organization_id).put(user.id, Role.ADMIN)
        role = {"userId": user.id, "role": "MEMBER"}
        await self._put(f"/projects/{project.id}/memberships", role, "PUT", of="organization")
        issued = await self._put(f"/projects/{project.id}/apiKeys", {"note": self._mark}, of="organization")
        await self._put(f"/projects/{project.id}", {"name": f"project {self._mark}"}, "PUT", of="organization")
        self._ids |= {
            "projects.project_id": project.id,
            "projects.key_id": issued["id"],
            "scim.user_id": user.id,
            "heliograph-admin.organization_id": project.organization_id,
            "heliograph-admin.key_id": self._tenant.organization_key.id,
        }

    async def _prompts(self) -> None:
        name = f"prompt-{self._word}"
        await self._put("/v2/prompts", {"name": name, "prompt": self._mark, "labels": ["production"], "tags": ["x"]})
        self._ids |= {"prompts.name": name, "prompts.version": "1"}

    async def _datasets(self) -> None:
        name, run = f"dataset-{self._word}", f"run-{self._word}"
        dataset = await self._put("/v2/datasets", {"name": name, "description": self._mark})
        item = await self._put("/dataset-items", {"datasetName": name, "input": self._mark})
        trace = self._ids["traces.trace_id"]
        ran = {"runName": run, "runDescription": self._mark, "datasetItemId": item["id"], "traceId": trace}
        await self._put("/dataset-run-items", ran)
        self._ids |= {
            "datasets.name": name,
            "datasets.dataset_id": dataset["id"],
            "datasets.run_name": run,
            "dataset-items.item_id": item["id"],
            "gates.name": f"gate-{self._word}",
        }
        rule = {"metric": self._mark, "atLeast": 0}
        gate = {"name": self._ids["gates.name"], "datasetName": name, "rules": [rule]}
        await self._put(f"/gates/{gate['name']}", gate, "PUT")

    async def _annotation(self) -> None:
        declared = {"name": f"config-{self._word}", "dataType": "NUMERIC", "description": self._mark}
        config = await self._put("/score-configs", declared)
        queued = {"name": f"queue-{self._word}", "scoreConfigIds": [config["id"]], "description": self._mark}
        queue = await self._put("/annotation-queues", queued)
        trace = {"objectId": self._ids["traces.trace_id"], "objectType": "TRACE"}
        item = await self._put(f"/annotation-queues/{queue['id']}/items", trace)
        said = trace | {"projectId": self._tenant.project.id, "content": self._mark}
        comment = await self._put("/comments", said)
        self._ids |= {
            "score-configs.config_id": config["id"],
            "annotation-queues.queue_id": queue["id"],
            "annotation-queues.item_id": item["id"],
            "comments.comment_id": comment["id"],
        }

    async def _configuration(self) -> None:
        priced = {"modelName": self._mark, "matchPattern": f"^{self._word}$", "unit": "TOKENS", "inputPrice": 1e-6}
        model = await self._put("/models", priced)
        connected = {"provider": f"provider-{self._word}", "adapter": "openai", "secretKey": f"sk-{self._mark}"}
        connection = await self._put("/llm-connections", connected | {"customModels": [self._mark]}, "PUT")
        rule = await self._put(
            "/masking-rules", {"kind": "expression", "target": self._word, "replacement": self._mark}
        )
        self._ids |= {
            "models.model_id": model["id"],
            "llm-connections.connection_id": connection["id"],
            "masking-rules.rule_id": rule["id"],
            "prompt-experiments.experiment_id": await self._prompt_experiment(),
        }

    async def _prompt_experiment(self) -> str:
        prompt, model = self._ids["prompts.name"], {"provider": f"provider-{self._word}", "model": self._mark}
        asked = {"datasetName": self._ids["datasets.name"], "name": self._mark, "prompts": [{"name": prompt}]}
        started = await self._put("/prompt-experiments", asked | {"models": [model]})
        return str(started["data"][0]["id"])

    async def _media(self) -> None:
        content = FILE + self._mark.encode()
        sha256 = b64encode(hashlib.sha256(content).digest()).decode()
        announced = {
            "traceId": self._ids["traces.trace_id"], "field": "input", "contentType": "image/png",
            "contentLength": len(content), "sha256Hash": sha256,
        }  # fmt: skip
        media = await self._put("/media", announced)
        headers = {"content-type": "image/png", "x-amz-checksum-sha256": sha256}
        async with httpx.AsyncClient() as anybody:
            (await anybody.put(media["uploadUrl"], content=content, headers=headers)).raise_for_status()
        self._ids["media.media_id"] = media["mediaId"]

    async def _dashboards(self) -> None:
        drawn = {
            "name": f"widget-{self._word}", "description": self._mark, "view": "observations", "chartType": "NUMBER",
            "metrics": [{"measure": "count", "agg": "count"}],
        }  # fmt: skip
        widget = await self._put("/unstable/dashboard-widgets", drawn)
        board = await self._put("/unstable/dashboards", {"name": f"board-{self._word}", "description": self._mark})
        placed = {"type": "widget", "id": f"place-{self._word}", "widgetId": widget["id"]}
        await self._put(f"/unstable/dashboards/{board['id']}/placements", placed)
        self._ids |= {
            "dashboards.dashboard_id": board["id"],
            "dashboards.placement_id": placed["id"],
            "dashboard-widgets.widget_id": widget["id"],
        }

    async def _evaluation(self) -> None:
        judge = await self._put(
            "/unstable/evaluators",
            {
                "name": f"judge-{self._word}", "type": "llm_as_judge", "prompt": f"{self._mark} {{{{output}}}}?",
                "outputDefinition": {
                    "dataType": "NUMERIC", "reasoning": {"description": "why"}, "score": {"description": "how right"},
                },
            },
        )  # fmt: skip
        declared = {
            "name": f"rule-{self._word}", "target": "observation", "enabled": False, "sampling": 1,
            "evaluator": {"name": judge["name"], "scope": "project", "type": "llm_as_judge"},
            "filter": [], "mapping": [{"variable": "output", "source": "output"}],
        }  # fmt: skip
        rule = await self._put("/unstable/evaluation-rules", declared)
        self._ids |= {"evaluators.evaluator_id": judge["id"], "evaluation-rules.rule_id": rule["id"]}
        chosen = {"provider": f"provider-{self._word}", "model": self._mark}
        await self._put("/unstable/evaluation-model", chosen, "PUT")
        seen = Target(RuleTarget.OBSERVATION, self._ids["observations.observation_id"], self._ids["traces.trace_id"], 1)
        job = NewJob(
            project_id=self._tenant.project.id, rule_id=rule["id"], evaluator_id=judge["id"], evaluator_version="v1",
            target=seen, delay=timedelta(0),
        )  # fmt: skip
        await EvaluationJobs(self._doors.database).add([job])

    async def _evaluation_run(self) -> None:
        score = f"score {self._mark}"
        told = {"name": score, "place": "client", "version": "v1", "columns": ["output"]}
        run = await self._put("/evaluation-runs", {"name": f"run {self._mark}", "evaluators": [told]})
        await self._put(f"/evaluation-runs/{run['id']}/start", {})
        claimed = await self._put(f"/evaluation-runs/{run['id']}/claims", {})
        failed = {
            "evaluator": score, "trace_id": self._ids["traces.trace_id"], "observation_id": "", "cause": "Any",
            "reason": self._mark,
        }  # fmt: skip
        report = {"rows": 1, "counts": {score: {"failed": 1}}, "causes": {"Any": 1}}
        done = {"attempt": claimed["part"]["attempt"], "report": report, "failures": [failed]}
        await self._put(f"/evaluation-runs/{run['id']}/parts/0/finish", done)
        self._ids |= {
            "evaluation-runs.run_id": run["id"],
            "evaluation-runs.number": "0",
            "evaluation-runs.turn": "pause",
        }

    async def _backfills(self) -> None:
        recost = await self._put("/recosts", {"model": self._mark, "dryRun": True})
        named = {"type": "stringOptions", "column": "name", "operator": "any of", "value": [self._mark]}
        export = await self._put("/exports", {"table": "traces", "where": named})
        self._ids |= {"recosts.recost_id": recost["id"], "exports.export_id": export["id"]}

    async def _blob_storage(self) -> None:
        declared = {
            "projectId": self._tenant.project.id, "type": "S3", "bucketName": "bucket", "region": "eu-central-1",
            "accessKeyId": self._mark, "secretAccessKey": f"sk-{self._mark}", "prefix": f"{self._mark}/",
            "exportFrequency": "daily", "enabled": False, "forcePathStyle": False, "fileType": "JSONL",
            "exportMode": "FULL_HISTORY",
        }  # fmt: skip
        kept = await self._put("/integrations/blob-storage", declared, "PUT", of="organization")
        self._ids["integrations.integration_id"] = kept["id"]
