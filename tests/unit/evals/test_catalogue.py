"""The catalogue holds what it promises, and the guide's tables are the catalogue's."""

from collections import Counter
from pathlib import Path

from evals.catalogue import as_markdown, entries

GUIDE = Path(__file__).parents[3] / "docs" / "evaluators.md"


def test_there_are_enough_of_every_kind() -> None:
    kinds = Counter(entry.kind for entry in entries())
    assert kinds["heuristic"] >= 36
    assert kinds["embedding"] >= 3
    assert kinds["judge"] >= 25
    assert sum(bool({"trace", "session"} & {*entry.inputs}) for entry in entries()) >= 12


def test_names_are_unique_and_every_evaluator_says_what_it_does() -> None:
    names = Counter(entry.name for entry in entries())
    assert [name for name, count in names.items() if count > 1] == []
    assert [entry.name for entry in entries() if not entry.summary.endswith(".")] == []


def test_every_judge_and_embedding_names_its_source() -> None:
    silent = [
        entry.name
        for entry in entries()
        if entry.kind != "heuristic" and "Source:" not in (entry.factory.__doc__ or "")
    ]
    assert silent == []


def test_the_guide_holds_the_catalogues_tables() -> None:
    assert GUIDE.read_text("utf-8").endswith(as_markdown() + "\n")
