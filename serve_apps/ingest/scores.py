"""The scores door: one score, or the array of scores that SDK 5 sends."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingestion import scores
from ingestion.otlp import MappingContext
from serve_apps.authentication import scores_principal
from serve_apps.bodies import Bodies
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.ingest.facts import ingestion_facts
from serve_apps.ingest.in_parts import InParts
from serve_apps.ingest.masks import Masks
from serve_apps.ingest.score_checks import ScoreChecks
from serve_apps.ingest.shapes import RefusedScore, ScoresShape

_PART_SCORES = 1000


class ScoresDoor:
    """Takes scores from SDKs, and from browsers that have a public key only.

    Args:
        dependencies: where scores go, and the limits.
        bodies: reads the requests.
        in_parts: takes large arrays.
    """

    def __init__(self, dependencies: IngestDependencies, bodies: Bodies, in_parts: InParts) -> None:
        self._appends = dependencies.appends
        self._clock = dependencies.clock
        self._inline_bytes = dependencies.settings.slice_above_bytes
        self._masks = Masks(dependencies)
        self._checks = ScoreChecks(dependencies.score_configs, in_parts)
        self._bodies = bodies
        self._in_parts = in_parts

    async def create(self, request: Request) -> Response:
        """Acknowledge the valid scores once they are durable; name what is wrong with the others."""
        principal = await scores_principal(request)
        masks = self._masks.of(request.headers, principal)
        facts = ingestion_facts(request.headers, principal)
        context = masks.within(MappingContext(principal.project_id, facts, self._clock()))
        async with self._bodies.read(request) as body:
            is_large = len(body) > self._inline_bytes or masks.is_slow
            decoded = await self._in_parts.work(partial(scores.decode, body)) if is_large else scores.decode(body)
            decoded = await self._checks.of_scores(principal.project_id, decoded)
            decoded = replace(decoded, bodies=await masks.scores(decoded.bodies))
            if not decoded.is_list:
                return await self._create_one(decoded, context, is_slow=masks.is_slow)
            if is_large:
                mappings = (partial(scores.map_scores, part, context) for part in _parts(decoded.bodies))
                await self._in_parts.append(mappings)
            elif decoded.bodies:
                await self._appends.append(scores.map_scores(decoded.bodies, context))
        return _acknowledged(decoded)

    async def _create_one(self, decoded: scores.DecodedScores, context: MappingContext, *, is_slow: bool) -> Response:
        if decoded.invalid:
            raise RequestValidationError([_issue(invalid) for invalid in decoded.invalid])
        mapping = partial(scores.map_scores, decoded.bodies, context)
        batch = await self._in_parts.work(mapping) if is_slow else mapping()
        await self._appends.append(batch)
        return JSONResponse({"id": batch.records["entity_id"][0].as_py()})


def _parts(bodies: list[scores.ScoreBody]) -> Iterator[list[scores.ScoreBody]]:
    for start in range(0, len(bodies), _PART_SCORES):
        yield bodies[start : start + _PART_SCORES]


def _acknowledged(decoded: scores.DecodedScores) -> Response:
    if not decoded.invalid:
        return JSONResponse({"message": "Accepted"}, 202)
    errors: list[RefusedScore] = [
        {"message": f"Score {invalid.index}: {_reason(invalid)}"} for invalid in decoded.invalid
    ]
    told: ScoresShape = {"accepted": len(decoded.bodies), "rejected": len(errors), "errors": errors}
    return JSONResponse(told, 207)


def _issue(invalid: scores.InvalidScore) -> dict[str, object]:
    path = ("body", invalid.field) if invalid.field else ("body",)
    return {"type": "invalid_score", "loc": path, "msg": _reason(invalid)}


def _reason(invalid: scores.InvalidScore) -> str:
    return f"{invalid.field} {invalid.reason}".strip()
