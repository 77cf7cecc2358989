"""Vectors of texts by a model behind a project's connection."""

from collections.abc import Sequence
from typing import NamedTuple

from evals.providers.connections import Reached
from evals.providers.failures import failure
from evals.providers.library import loaded

TIMEOUT_SECONDS = 60.0


class Embedded(NamedTuple):
    """One vector for each text, and how many tokens the provider counts in all of them."""

    vectors: Sequence[Sequence[float]]
    tokens: int


async def embedded(reached: Reached, texts: Sequence[str], dimensions: int | None = None) -> Embedded:
    """One call, without any second try.

    Args:
        reached: the model.
        texts: none of them empty.
        dimensions: how long the vectors are to be, of models that can be told.

    Raises:
        CallFailed: and of which kind.
    """
    library = await loaded()
    more = {} if dimensions is None else {"dimensions": dimensions}
    bounds = {"timeout": TIMEOUT_SECONDS, "max_retries": 0, "num_retries": 0}
    try:
        response = await library.aembedding(
            model=reached.model, input=list(texts), encoding_format="float", **bounds, **more, **reached.arguments
        )
    except Exception as error:
        raise failure(reached.model, error) from error
    ordered = sorted(response.data, key=lambda one: one["index"])
    return Embedded([one["embedding"] for one in ordered], int(getattr(response.usage, "prompt_tokens", 0) or 0))
