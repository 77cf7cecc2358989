"""How similar the output is to the expected text: by characters, by words, by what embeddings say."""

from collections.abc import Awaitable, Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler, Levenshtein

from evals import text_overlap
from heliograph.domain.evaluators import Embedder, ValueRule
from heliograph.domain.scores import ScoreDataType
from heliograph.evaluator import SHARE, evaluator_factory

ArrayScore = Callable[..., pa.Array]
LaterScore = Callable[..., Awaitable[pa.Array]]
Vectors = npt.NDArray[np.float64]

COSINE = ValueRule(ScoreDataType.NUMERIC, -1, 1)


@evaluator_factory(SHARE, vectorised=True)
def levenshtein_similarity() -> ArrayScore:
    """One minus the edits that turn one text into the other, through the longer one's length.

    Source: Levenshtein, Soviet Physics Doklady 10 (1966).
    """

    def score(output: pa.Array, expected: pa.Array) -> pa.Array:
        texts = output.to_pylist(), expected.to_pylist()
        found = process.cpdist(*texts, scorer=Levenshtein.normalized_similarity, dtype=np.float64)
        return pa.array(found)

    return score


@evaluator_factory(SHARE, vectorised=True)
def jaro_winkler_similarity() -> ArrayScore:
    """Jaro's share of characters in about the same places, raised for a common start: for names and identifiers.

    Source: Winkler, String Comparator Metrics and Enhanced Decision Rules (1990).
    """

    def score(output: pa.Array, expected: pa.Array) -> pa.Array:
        texts = output.to_pylist(), expected.to_pylist()
        return pa.array(process.cpdist(*texts, scorer=JaroWinkler.similarity, dtype=np.float64))

    return score


@evaluator_factory(SHARE, vectorised=True)
def bleu(*, size: int = 4) -> ArrayScore:
    """Sentence BLEU of the output against the expected text, of n-grams up to a size.

    Source: Papineni et al. (2002), as `text_overlap.bleu` says.
    """
    return lambda output, expected: _shares(text_overlap.bleu(_words(output), _words(expected), size=size))


@evaluator_factory(SHARE, vectorised=True)
def rouge(*, size: int = 1) -> ArrayScore:
    """ROUGE-N: the F1 of n-grams that output and expected text share.

    Source: Lin (2004), as `text_overlap.rouge_n` says.
    """
    return lambda output, expected: _shares(text_overlap.rouge_n(_words(output), _words(expected), size=size))


@evaluator_factory(SHARE, vectorised=True)
def rouge_l() -> ArrayScore:
    """ROUGE-L: the F1 of the longest common subsequence of words.

    Source: Lin (2004), as `text_overlap.rouge_l` says.
    """
    return lambda output, expected: _shares(text_overlap.rouge_l(_words(output), _words(expected)))


@evaluator_factory(SHARE, vectorised=True)
def meteor() -> ArrayScore:
    """METEOR of exact words: recall counts most, and order counts.

    Source: Banerjee and Lavie (2005), as `text_overlap.meteor` says.
    """
    return lambda output, expected: _shares(text_overlap.meteor(_words(output), _words(expected)))


@evaluator_factory(SHARE, vectorised=True)
def chrf(*, size: int = 6) -> ArrayScore:
    """chrF2: the F-score of character n-grams, good for languages with much inflection.

    Source: Popović (2015), as `text_overlap.chrf` says.
    """
    return lambda output, expected: _shares(text_overlap.chrf(output.to_pylist(), expected.to_pylist(), size=size))


@evaluator_factory(COSINE, vectorised=True)
def embedding_similarity(embedder: Embedder) -> LaterScore:
    """The cosine of the embeddings of output and expected text.

    Source: Reimers and Gurevych, Sentence-BERT (2019), section 3.
    """

    async def score(output: pa.Array, expected: pa.Array) -> pa.Array:
        return await _cosines(embedder, output, expected)

    return score


@evaluator_factory(COSINE, vectorised=True)
def embedding_relevance(embedder: Embedder) -> LaterScore:
    """The cosine of the embeddings of input and output: whether both speak of the same, not whether it is right.

    Source: as answer relevancy of Es et al., RAGAS (2023), section 3, without generated questions.
    """

    async def score(output: pa.Array, input: pa.Array) -> pa.Array:
        return await _cosines(embedder, output, input)

    return score


@evaluator_factory(COSINE, vectorised=True)
def embedding_grounding(embedder: Embedder) -> LaterScore:
    """The largest cosine of the output's embedding and one of the context's passages.

    Source: the greedy matching of Zhang et al., BERTScore (2020), section 3, of passages in place of tokens.
    """

    async def score(output: pa.Array, context: pa.Array) -> pa.Array:
        passages = pc.list_flatten(context)
        rows = pc.list_parent_indices(context)
        cosines = await _cosines(embedder, output.take(rows), passages)
        best = pa.table({"row": rows, "cosine": cosines}).group_by("row").aggregate([("cosine", "max")])
        places = pc.index_in(pa.array(range(len(output)), rows.type), best.column("row").combine_chunks())
        return best.column("cosine_max").combine_chunks().take(places)

    return score


async def _cosines(embedder: Embedder, first: pa.Array, second: pa.Array) -> pa.Array:
    """The cosines of texts side by side; every distinct text is embedded once, and a vector of zeros has cosine 0."""
    if not len(first):
        return pa.array([], pa.float64())
    texts = pa.concat_arrays([first, second]).dictionary_encode()
    vectors = np.asarray(await embedder.embed(texts.dictionary.to_pylist()), dtype=np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    places = texts.indices.to_numpy()
    found = np.einsum("ij,ij->i", unit[places[: len(first)]], unit[places[len(first) :]])
    return pa.array(np.clip(found, -1, 1))


def _words(texts: pa.Array) -> list[list[str]]:
    return [text_overlap.tokens(text) for text in texts.to_pylist()]


def _shares(found: text_overlap.Shares) -> pa.Array:
    """What rounding left above 1 is 1."""
    return pa.array(np.minimum(found, 1))
