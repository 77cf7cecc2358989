"""How many n-grams texts side by side share, counted for many pairs at once by sorting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
_Codes = npt.NDArray[np.uint64]

# Odd, with bits all over: the fractional part of the golden ratio, and two of splitmix64's.
_UNIT, _STEP, _MIX = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
# As much as is sorted in one go: what fits into a core's own cache is sorted in two thirds of the time.
_UNITS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as numbers: `units` of all of them, one after the other, and how many each has."""

    units: _Codes
    lengths: Counts


@dataclass(frozen=True, slots=True)
class Overlap:
    """The n-grams of one order in pairs of texts.

    Attributes:
        shared: how many are in both, each counted as often as in the text that has it less often.
        said: how many the first one has.
        meant: how many the second one has.
    """

    shared: Counts
    said: Counts
    meant: Counts


def characters(texts: Sequence[str]) -> Texts:
    """The code points of texts."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    return Texts(codes.astype(np.uint64), _lengths(texts))


def words(texts: Sequence[Sequence[str]]) -> Texts:
    """The words of texts; `overlaps` compares texts of one call only."""
    known: dict[str, int] = {}
    numbers = [known.setdefault(word, len(known)) for text in texts for word in text]
    return Texts(np.array(numbers, np.uint64), _lengths(texts))


def overlaps(texts: Texts, size: int, *, units_at_once: int = _UNITS_AT_ONCE) -> list[Overlap]:
    """The n-grams of order 1 to `size` that the first half of the texts, in turn, share with the second half.

    They are compared by hashes of 40 bits and more within their pair: of 300 n-grams, two are taken for one in one
    pair of ten million.
    """
    pairs = len(texts.lengths) // 2
    found = [Overlap(np.zeros(pairs, np.int64), *_totals(texts.lengths, order)) for order in range(1, size + 1)]
    ends = np.cumsum(texts.lengths)
    for first, last in _slices(texts.lengths[:pairs] + texts.lengths[pairs:], units_at_once):
        parts = [slice(first, last), slice(pairs + first, pairs + last)]
        units = [texts.units[ends[part.start] - texts.lengths[part.start] : ends[part.stop - 1]] for part in parts]
        lengths = np.concatenate([texts.lengths[part] for part in parts])
        for overlap, shared in zip(found, _shared(np.concatenate(units), lengths, size), strict=True):
            overlap.shared[first:last] = shared
    return found


def _lengths(texts: Sequence[Sequence[str]]) -> Counts:
    return np.array([len(text) for text in texts], np.int64)


def _totals(lengths: Counts, order: int) -> tuple[Counts, Counts]:
    grams = np.maximum(lengths - order + 1, 0)
    return grams[: len(grams) // 2], grams[len(grams) // 2 :]


def _slices(lengths: Counts, most: int) -> Iterator[tuple[int, int]]:
    """From which pair to before which, so that a slice of several pairs has at most so many units."""
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + most, "right")))
        yield first, last
        first = last


def _shared(units: _Codes, lengths: Counts, size: int) -> Iterator[Counts]:
    """For each order, how many n-grams every pair shares."""
    pairs = len(lengths) // 2
    hash_bits = 63 - max(1, (pairs - 1).bit_length())
    text = np.repeat(np.arange(len(lengths)), lengths)
    # The pair is in the first bits, so that a sort brings its n-grams together; the side is in the last one.
    pair = (text % pairs).astype(np.uint64) << np.uint64(hash_bits + 1)
    places = pair | (text >= pairs)
    coded = units * _UNIT
    grams = np.zeros_like(coded)
    for order in range(1, size + 1):
        count = max(0, len(units) - order + 1)
        grams = grams[:count] * _STEP + coded[order - 1 :]
        mixed = (grams ^ grams >> np.uint64(32)) * _MIX >> np.uint64(64 - hash_bits)
        keys = (places[:count] | mixed << np.uint64(1))[text[:count] == text[order - 1 :]]
        yield _common(np.sort(keys), pairs, hash_bits)


def _common(keys: _Codes, pairs: int, hash_bits: int) -> Counts:
    if not len(keys):
        return np.zeros(pairs, np.int64)
    grams = keys >> np.uint64(1)
    starts = np.flatnonzero(np.concatenate([[True], grams[1:] != grams[:-1]]))
    meant = np.add.reduceat((keys & np.uint64(1)).astype(np.int64), starts)
    said = np.diff(starts, append=len(keys)) - meant
    pair = (grams[starts] >> np.uint64(hash_bits)).astype(np.int64)
    return np.bincount(pair, np.minimum(said, meant), pairs).astype(np.int64)
