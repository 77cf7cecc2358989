"""Measures of overlap against sacrebleu 2.6, rouge-score 0.1 and NLTK 3.10, and similarity by embeddings."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from evals import similarity
from evals.text_overlap import bleu, chrf, meteor, rouge_l, rouge_n, tokens

MILITARY = (
    "it is a guide to action which ensures that the military always obeys the commands of the party",
    "it is a guide to action that ensures that the military will forever heed party commands",
)
CAT = ("the cat sat on the mat", "the cat is on the mat")
FOX = ("a quick brown dog jumps over the lazy fox", "the quick brown fox jumps over the lazy dog")
SHORT = ("paris", "the capital of france is paris")


@pytest.mark.parametrize(
    ("texts", "bleu_score", "chrf_score", "rouges"),
    [
        (CAT, 0.379917843, 0.645779421, (0.833333333, 0.6, 0.833333333)),
        (MILITARY, 0.420859807, 0.642247963, (0.705882353, 0.5, 0.647058824)),
        (SHORT, 0.006737947, 0.154012647, (0.285714286, 0.0, 0.285714286)),
        (FOX, None, None, (0.888888889, 0.5, 0.666666667)),
    ],
    ids=["cat", "military", "short", "fox"],
)
def test_measures_are_those_of_the_libraries(
    texts: tuple[str, str], bleu_score: float | None, chrf_score: float | None, rouges: tuple[float, float, float]
) -> None:
    output, expected = ([tokens(text)] for text in texts)
    if bleu_score is not None:
        assert bleu(output, expected) == pytest.approx([bleu_score], abs=1e-8)
        assert chrf(*([text] for text in texts)) == pytest.approx([chrf_score], abs=1e-8)
    found = (*rouge_n(output, expected), *rouge_n(output, expected, size=2), *rouge_l(output, expected))
    assert found == pytest.approx(rouges, abs=1e-8)


def test_meteor_is_that_of_nltk_where_no_word_repeats_out_of_order() -> None:
    output, expected = ([tokens(pair[side]) for pair in (CAT, SHORT)] for side in (0, 1))
    assert meteor(output, expected) == pytest.approx([0.806666667, 0.090909091], abs=1e-8)


def test_meteor_aligns_repeated_words_for_few_chunks() -> None:
    # "on the mat", "sat", "the cat": three chunks of six matches.
    output, expected = tokens("on the mat sat the cat"), tokens("the cat sat on the mat")
    assert meteor([output], [expected]) == [1 - 0.5 * (3 / 6) ** 3]


def test_rouge_l_counts_the_longest_common_subsequence() -> None:
    found = rouge_l([list("ABCBDAB"), [], []], [list("BDCABA"), ["a"], []])
    assert found == pytest.approx([2 * 4 / 13, 0, 0])  # Cormen et al., 15.4


@pytest.mark.parametrize(
    "make", [similarity.bleu, similarity.rouge, similarity.rouge_l, similarity.meteor, similarity.chrf]
)
def test_the_same_text_has_the_best_value_and_another_the_worst(make: object) -> None:
    evaluator = make()  # type: ignore[operator]
    assert evaluator("one two three four five", "one two three four five").value == pytest.approx(1, abs=0.01)
    assert evaluator("xx yy", "one two three").value == 0


def test_edit_similarities() -> None:
    assert similarity.levenshtein_similarity()("kitten", "sitting").value == pytest.approx(1 - 3 / 7)
    assert similarity.jaro_winkler_similarity()("MARTHA", "MARHTA").value == pytest.approx(0.961111, abs=1e-6)


class LetterCounts:
    """An embedder whose vectors count a, b and c; it remembers how many texts it was asked for."""

    identity = "letters"

    def __init__(self) -> None:
        self.asked = 0

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += len(texts)
        return [[float(text.count(letter)) for letter in "abc"] for text in texts]


async def test_embeddings_are_compared_by_their_cosine() -> None:
    embedder = LetterCounts()
    table = pa.table({"output": ["aab", "a", "", "x"], "expected_output": ["aab", "b", "a", "a"]})
    outcomes = await similarity.embedding_similarity(embedder).evaluate_table(table)
    assert outcomes.column("value").to_pylist() == [pytest.approx(1), 0, None, 0]
    assert embedder.asked == 4  # of six texts


async def test_relevance_compares_with_the_input_and_grounding_with_the_best_passage() -> None:
    relevance = await similarity.embedding_relevance(LetterCounts())("ab", "b")
    assert relevance.value == pytest.approx(0.5**0.5)
    table = pa.table({"output": ["a", "ab", "c"], "context": [["b", "aa"], ["c"], []]})
    outcomes = await similarity.embedding_grounding(LetterCounts()).evaluate_table(table)
    assert outcomes.column("value").to_pylist() == [pytest.approx(1), 0, None]
    assert outcomes.column("status").to_pylist() == ["scored", "scored", "skipped"]
