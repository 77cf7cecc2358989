"""Measures of overlap of texts side by side by their published formulas: BLEU, ROUGE, METEOR and chrF.

Each takes the outputs and the expected texts, equally many, and returns an array of float64, one for each pair.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from evals import gram_overlap

Words = Sequence[str]
Shares = npt.NDArray[np.float64]

_TOKENS = re.compile(r"\w+|[^\w\s]")


def tokens(text: str) -> list[str]:
    """Words in lower case, and each punctuation mark on its own."""
    return _TOKENS.findall(text.lower())


def bleu(output: Sequence[Words], expected: Sequence[Words], *, size: int = 4) -> Shares:
    """Sentence BLEU: the geometric mean of clipped n-gram precisions, times the brevity penalty.

    Orders beyond the output's length do not count; an order without a match counts half of the last one's share each
    time, as NIST's `mteval` smooths.

    Source: Papineni et al. (2002); Post, A Call for Clarity in Reporting BLEU Scores (2018); smoothing 3 of Chen and
    Cherry (2014).
    """
    counted = gram_overlap.overlaps(gram_overlap.words([*output, *expected]), size)
    logs, smoothing, orders = np.zeros(len(output)), np.ones(len(output)), np.zeros(len(output))
    for grams in counted:
        has_grams, is_missed = grams.said > 0, grams.shared == 0
        smoothing[is_missed] *= 2
        matches = np.where(is_missed, 1 / smoothing, grams.shared)
        logs += np.where(has_grams, np.log(matches / np.maximum(grams.said, 1)), 0)
        orders += has_grams
    words = counted[0]
    brevity = np.minimum(0, 1 - words.meant / np.maximum(words.said, 1))
    return np.where(words.shared > 0, np.exp(logs / np.maximum(orders, 1) + brevity), 0)


def rouge_n(output: Sequence[Words], expected: Sequence[Words], *, size: int = 1) -> Shares:
    """The F1 of overlapping n-grams.

    Source: Lin, ROUGE: A Package for Automatic Evaluation of Summaries (2004), section 2.
    """
    grams = gram_overlap.overlaps(gram_overlap.words([*output, *expected]), size)[-1]
    return _divided(2 * grams.shared, grams.said + grams.meant)


def rouge_l(output: Sequence[Words], expected: Sequence[Words]) -> Shares:
    """The F1 of the longest common subsequence.

    Source: Lin (2004), section 3.1, with beta = 1.
    """
    longest = process.cpdist(output, expected, scorer=LCSseq.similarity, dtype=np.int64)
    total = np.array([len(said) + len(meant) for said, meant in zip(output, expected, strict=True)], np.int64)
    return _divided(2 * longest, total)


def meteor(output: Sequence[Words], expected: Sequence[Words]) -> Shares:
    """METEOR of exact words: recall weighs nine times precision; scattered matches cost up to half.

    Repeated words are aligned for few chunks, as later versions do, not for few crossings.

    Source: Banerjee and Lavie, METEOR (2005), section 2.2, without stems and synonyms; the alignment: Denkowski and
    Lavie, Meteor 1.3 (2011), section 2.
    """
    return np.array([_meteor(said, meant) for said, meant in zip(output, expected, strict=True)], np.float64)


def _meteor(output: Words, expected: Words) -> float:
    alignment = _alignment(output, expected)
    if not alignment:
        return 0.0
    matches = len(alignment)
    precision, recall = matches / len(output), matches / len(expected)
    mean = 10 * precision * recall / (recall + 9 * precision)
    chunks = 1 + sum(after != (before[0] + 1, before[1] + 1) for before, after in pairwise(alignment))
    return mean * (1 - 0.5 * (chunks / matches) ** 3)


def _alignment(output: Words, expected: Words) -> list[tuple[int, int]]:
    """Pairs of places of equal words, each used once; a word goes on where the last one ended if it can."""
    free: dict[str, list[int]] = {}
    for place, word in enumerate(expected):
        free.setdefault(word, []).append(place)
    pairs: list[tuple[int, int]] = []
    following = 0
    for place, word in enumerate(output):
        open_places = free.get(word)
        if not open_places:
            continue
        chosen = following if following in open_places else open_places[0]
        open_places.remove(chosen)
        pairs.append((place, chosen))
        following = chosen + 1
    return pairs


def chrf(output: Sequence[str], expected: Sequence[str], *, size: int = 6, beta: float = 2.0) -> Shares:
    """chrF2: the F-score of character n-grams, in which recall weighs four times precision; blank space does not count.

    Source: Popović, chrF: character n-gram F-score for automatic MT evaluation (2015).
    """
    texts = ["".join(text.split()) for text in (*output, *expected)]
    precision, recall, orders = np.zeros(len(output)), np.zeros(len(output)), np.zeros(len(output))
    for grams in gram_overlap.overlaps(gram_overlap.characters(texts), size):
        has_grams = (grams.said > 0) & (grams.meant > 0)
        precision += _divided(grams.shared, np.where(has_grams, grams.said, 0))
        recall += _divided(grams.shared, np.where(has_grams, grams.meant, 0))
        orders += has_grams
    precision, recall = _divided(precision, orders), _divided(recall, orders)
    return _divided((1 + beta**2) * precision * recall, beta**2 * precision + recall)


def _divided(part: npt.NDArray[np.generic], whole: npt.NDArray[np.generic]) -> Shares:
    """The quotients, 0 where the divisor is."""
    return np.asarray(np.divide(part, whole, out=np.zeros(len(whole)), where=whole != 0), np.float64)
