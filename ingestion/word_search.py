"""Short words sought in many bytes at once: in megabytes whole words are compared at once, at half the cost of `in`."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt


class WordSearch:
    """Looks for words of two or four bytes.

    Args:
        words: what is sought.
        few_bytes: below this `in` is quicker.
    """

    def __init__(self, *words: bytes, few_bytes: int = 1 << 18) -> None:
        self._words = words
        self._few_bytes = few_bytes
        self._by_size = {
            size: [int.from_bytes(word, "little") for word in words if len(word) == size] for size in map(len, words)
        }

    def is_in(self, data: bytes) -> bool:
        """Whether one of them is in it."""
        if len(data) < self._few_bytes:
            return any(word in data for word in self._words)
        return any(len(places) for places in self._places(data))

    def which(self, pieces: Sequence[bytes]) -> list[int]:
        """The numbers of the pieces that hold one, ascending; one more where a word lies across two."""
        joined = b"".join(pieces)
        if len(joined) < self._few_bytes:
            return [number for number, piece in enumerate(pieces) if self.is_in(piece)]
        places = np.concatenate(list(self._places(joined)))
        if not len(places):
            return []
        ends = np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)))
        numbers: list[int] = np.unique(np.searchsorted(ends, places, side="right")).tolist()
        return numbers

    def _places(self, data: bytes) -> Iterator[npt.NDArray[np.intp]]:
        """Where they begin, one array for each word and each way to cut the data into such words."""
        for size, sought in self._by_size.items():
            for first in range(min(size, len(data) + 1)):
                words = np.frombuffer(data, f"<u{size}", (len(data) - first) // size, first)
                for one in sought:
                    yield np.flatnonzero(words == one) * size + first
