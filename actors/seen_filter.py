"""A Bloom filter over subjects: it rules out that a subject was ever stored, so that new ones need no read-back."""

import numpy as np
import xxhash

_HASHES = 4
_BITS_PER_SUBJECT = 10


def subject_hash(project_id: str, subject: str) -> int:
    """xxHash64 of project, NUL, subject: the hash that ClickHouse computes as well."""
    return xxhash.xxh64_intdigest(f"{project_id}\0{subject}".encode("utf-8", "surrogatepass"))


class SeenFilter:
    """Grows by further layers when one is full, so that the rate of false answers stays near 1%.

    B. H. Bloom, Space/time trade-offs in hash coding with allowable errors (1970); the positions are derived from two
    halves of one hash as in Kirsch and Mitzenmacher, Less hashing, same performance (2006).
    """

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._layers = [bytearray(bits // 8)]
        self._room = self._capacity = bits // _BITS_PER_SUBJECT

    def __contains__(self, digest: int) -> bool:
        positions = self._positions(digest)
        return any(all(layer[at >> 3] >> (at & 7) & 1 for at in positions) for layer in self._layers)

    @property
    def nbytes(self) -> int:
        """Bytes held by all layers."""
        return len(self._layers) * self._bits // 8

    def add(self, digest: int) -> None:
        """Remember one subject."""
        layer = self._layer_with_room(1)
        for at in self._positions(digest):
            layer[at >> 3] |= 1 << (at & 7)

    def add_many(self, digests: np.ndarray) -> None:
        """Remember a block of UInt64 hashes."""
        for start in range(0, len(digests), self._capacity):
            block = digests[start : start + self._capacity]
            view = np.frombuffer(self._layer_with_room(len(block)), dtype=np.uint8)
            low, step = block & np.uint64(0xFFFFFFFF), (block >> np.uint64(32)) | np.uint64(1)
            for index in range(_HASHES):
                at = (low + np.uint64(index) * step) % np.uint64(self._bits)
                np.bitwise_or.at(view, (at >> np.uint64(3)).astype(np.int64), _bit(at))

    def _layer_with_room(self, count: int) -> bytearray:
        if self._room < count:
            self._layers.append(bytearray(self._bits // 8))
            self._room = self._capacity
        self._room -= count
        return self._layers[-1]

    def _positions(self, digest: int) -> list[int]:
        low, step = digest & 0xFFFFFFFF, digest >> 32 | 1
        return [(low + index * step) % self._bits for index in range(_HASHES)]


def _bit(at: np.ndarray) -> np.ndarray:
    return np.left_shift(np.uint8(1), (at & np.uint64(7)).astype(np.uint8))
