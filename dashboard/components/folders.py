"""Names with slashes as folders."""

from collections import Counter
from collections.abc import Iterable


def inside(folder: str, names: Iterable[str]) -> tuple[list[tuple[str, int]], list[str]]:
    """The folders right inside one, with how many names each holds at any depth, and the names right inside it.

    Args:
        folder: its path without a slash at its ends; '' is the outermost.
        names: all names.
    """
    prefix = f"{folder}/" if folder else ""
    held: Counter[str] = Counter()
    own: list[str] = []
    for name in names:
        if not name.startswith(prefix):
            continue
        first, slash, _ = name.removeprefix(prefix).partition("/")
        if slash:
            held[f"{prefix}{first}"] += 1
        else:
            own.append(name)
    return sorted(held.items()), sorted(own)


def path_of(folder: str) -> list[tuple[str, str]]:
    """The folders on the way to one: the last part of each path, and the path."""
    parts = folder.split("/") if folder else []
    return [(part, "/".join(parts[: index + 1])) for index, part in enumerate(parts)]
