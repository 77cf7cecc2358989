"""Lists of ids as parameters of a query."""

from collections.abc import Iterator, Sequence

# ClickHouse takes no longer parameter than 128 kB, and an id takes up to four bytes a character.
_MAX_CHARACTERS = 25_000


def portions(ids: Sequence[str]) -> Iterator[list[str]]:
    """The ids in portions that each fit into one parameter."""
    portion: list[str] = []
    characters = 0
    for one in ids:
        if portion and characters + len(one) > _MAX_CHARACTERS:
            yield portion
            portion, characters = [], 0
        portion.append(one)
        characters += len(one) + 2
    if portion:
        yield portion
