"""Measures of overlap of two texts by their published formulas: BLEU, ROUGE, METEOR and chrF."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

Words = Sequence[str]

_TOKENS = re.compile(r"\w+|[^\w\s]")


def tokens(text: str) -> list[str]:
    """Words in lower case, and each punctuation mark on its own."""
    return _TOKENS.findall(text.lower())


def bleu(output: Words, expected: Words, *, size: int = 4) -> float:
    """Sentence BLEU: the geometric mean of clipped n-gram precisions, times the brevity penalty.

    Orders beyond the output's length do not count; an order without a match counts half of the last one's share each
    time, as NIST's `mteval` smooths.

    Source: Papineni et al. (2002); Post, A Call for Clarity in Reporting BLEU Scores (2018); smoothing 3 of Chen and
    Cherry (2014).
    """
    logs, smoothing = 0.0, 1.0
    orders = min(size, len(output))
    for order in range(1, orders + 1):
        said, meant = _grams(output, order), _grams(expected, order)
        matches = sum(min(count, meant[gram]) for gram, count in said.items() if gram in meant)
        if order == 1 and not matches:
            return 0.0
        if not matches:
            smoothing *= 2
        logs += math.log((matches or 1 / smoothing) / (len(output) - order + 1))
    if not orders:
        return 0.0
    brevity = min(0.0, 1 - len(expected) / len(output))
    return math.exp(logs / orders + brevity)


def rouge_n(output: Words, expected: Words, *, size: int = 1) -> float:
    """The F1 of overlapping n-grams.

    Source: Lin, ROUGE: A Package for Automatic Evaluation of Summaries (2004), section 2.
    """
    said, meant = _grams(output, size), _grams(expected, size)
    total = sum(said.values()) + sum(meant.values())
    matches = sum(min(count, meant[gram]) for gram, count in said.items() if gram in meant)
    return 2 * matches / total if total else 0.0


def rouge_l(output: Words, expected: Words) -> float:
    """The F1 of the longest common subsequence.

    Source: Lin (2004), section 3.1, with beta = 1.
    """
    total = len(output) + len(expected)
    return 2 * longest_common_subsequence(output, expected) / total if total else 0.0


def longest_common_subsequence(first: Words, second: Words) -> int:
    """The length of the longest sequence that both have in this order, by one integer of bits for a row of the table.

    Source: Hyyrö, Bit-Parallel LCS-length Computation Revisited (2004).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    whole = (1 << len(first)) - 1
    row = whole
    for word in second:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & whole
    return len(first) - row.bit_count()


def meteor(output: Words, expected: Words) -> float:
    """METEOR of exact words: recall weighs nine times precision; scattered matches cost up to half.

    Repeated words are aligned for few chunks, as later versions do, not for few crossings.

    Source: Banerjee and Lavie, METEOR (2005), section 2.2, without stems and synonyms; the alignment: Denkowski and
    Lavie, Meteor 1.3 (2011), section 2.
    """
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


def chrf(output: str, expected: str, *, size: int = 6, beta: float = 2.0) -> float:
    """chrF2: the F-score of character n-grams, in which recall weighs four times precision; blank space does not count.

    Source: Popović, chrF: character n-gram F-score for automatic MT evaluation (2015).
    """
    said, meant = "".join(output.split()), "".join(expected.split())
    precisions, recalls = [], []
    for order in range(1, size + 1):
        ours, theirs = _character_grams(said, order), _character_grams(meant, order)
        if not ours or not theirs:
            continue
        matches = sum(min(count, theirs[gram]) for gram, count in ours.items() if gram in theirs)
        precisions.append(matches / sum(ours.values()))
        recalls.append(matches / sum(theirs.values()))
    precision, recall = (sum(shares) / len(shares) if shares else 0.0 for shares in (precisions, recalls))
    weighted = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / weighted if weighted else 0.0


def _grams(words: Words, size: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(size)), strict=False))


def _character_grams(text: str, size: int) -> Counter[str]:
    return Counter([text[start : start + size] for start in range(len(text) - size + 1)])
