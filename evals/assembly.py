"""Evaluators of the catalogue from what a run says of them: a name, parameters, and the model of a judge."""

from functools import cache

from evals.catalogue import Entry, entries
from evals.judging.models import Connection, ModelJudge
from evals.providers.completions import is_direct
from evals.providers.connections import model_name, reached
from heliograph.content_hash import content_hash
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_runs import EmbedderSpec, EvaluatorSpec, JudgeSpec
from heliograph.domain.evaluators import Embedder, Judge
from heliograph.domain.llm_connections import Adapter, OpenedLlmConnection
from heliograph.evaluator import Evaluator
from heliograph.outbound import Outbound
from heliograph.variables import Source

_A = {"judge": "a judge", "embedder": "an embedder"}


def assembled(spec: EvaluatorSpec, judge: Judge | None = None, embedder: Embedder | None = None) -> Evaluator:
    """The evaluator that is meant.

    Args:
        spec: its name in the catalogue, and its parameters.
        judge: whom it asks, where it is a judge.
        embedder: what turns texts into vectors, where it compares these.

    Raises:
        InvalidRequest: there is no such evaluator, or it cannot be made of this.
    """
    entry = _catalogue().get(spec.name)
    if entry is None:
        raise InvalidRequest("evaluators", f"there is no evaluator {spec.name!r}: docs/evaluators.md lists them")
    parameters = dict(spec.parameters)
    for kind, model in (("judge", judge), ("embedding", embedder)):
        name = "judge" if kind == "judge" else "embedder"
        if entry.kind == kind:
            if model is None:
                raise InvalidRequest("evaluators", f"{spec.name} asks {_A[name]}: say which provider and model")
            parameters[name] = model
        elif getattr(spec, name) is not None:
            raise InvalidRequest("evaluators", f"{spec.name} asks no {name}")
    try:
        made = entry.factory(**parameters)
    except (TypeError, ValueError) as error:
        raise InvalidRequest("evaluators", f"{spec.name}: {error}") from None
    sources = {name: Source(one.column, one.json_path) for name, one in spec.sources.items()}
    return (made.reading(**sources) if sources else made).named(spec.score_name)


def embedder_identity(spec: EmbedderSpec, adapter: Adapter) -> str:
    """The model, and a hash of the parameters that shape its vectors."""
    return f"{model_name(adapter, spec.model)}:{content_hash(dimensions=spec.dimensions)}"


def described_judge(spec: JudgeSpec, adapter: Adapter) -> ModelJudge:
    """The judge that is meant, which can be described, and not be asked."""
    return _judge(spec, model_name(adapter, spec.model), Connection())


def connected_judge(spec: JudgeSpec, opened: OpenedLlmConnection, outbound: Outbound) -> ModelJudge:
    """The same behind a connection; raises InvalidRequest when its secret is not what its provider needs."""
    found = reached(opened, spec.model, outbound)
    options = found.facts if is_direct(found.model) else found.arguments
    return _judge(spec, found.model, Connection(options=options, outbound=outbound))


def _judge(spec: JudgeSpec, model: str, connection: Connection) -> ModelJudge:
    return ModelJudge(
        model, connection, max_tokens=spec.max_tokens, temperature=spec.temperature, parameters=spec.shaping
    )


@cache
def _catalogue() -> dict[str, Entry]:
    return {entry.name: entry for entry in entries()}
