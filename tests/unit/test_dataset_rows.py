"""Rows of files and frames as items."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from heliograph.dataset_rows import MAX_ROW, BadRow, ColumnChoice, ItemRow, Row, csv_rows, frame_rows, json_rows

ANY = ColumnChoice()


def csv_of(folder: Path, text: str | bytes, choice: ColumnChoice = ANY) -> list[Row]:
    path = folder / "rows.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(csv_rows(path, choice))


def json_of(folder: Path, text: str | bytes, choice: ColumnChoice = ANY) -> list[Row]:
    path = folder / "rows.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(json_rows(path, choice))


def items(rows: Iterable[Row]) -> list[dict[str, Any]]:
    found = list(rows)
    assert not [row for row in found if isinstance(row, BadRow)]
    return [row.item for row in found if isinstance(row, ItemRow)]


def test_columns_are_taken_by_their_names(tmp_path: Path) -> None:
    header = "\ufeffid,input,expected_output,metadata,status\n"
    text = header + 'a,"{""q"": [1]}",42,,ARCHIVED\r\n\n,"two\nlines",[not json,"[1]",\n'
    assert csv_of(tmp_path, text) == [
        ItemRow(2, {"id": "a", "input": {"q": [1]}, "expectedOutput": "42", "status": "ARCHIVED"}),
        ItemRow(4, {"input": "two\nlines", "expectedOutput": "[not json", "metadata": [1]}),
    ]


def test_without_an_input_all_other_columns_are_it(tmp_path: Path) -> None:
    assert items(csv_of(tmp_path, "question,hops,expectedOutput\nwhy?,2,because\n")) == [
        {"input": {"question": "why?", "hops": "2"}, "expectedOutput": "because"}
    ]


def test_chosen_columns_take_the_place_of_names(tmp_path: Path) -> None:
    choice = ColumnChoice(input=("question",), expected_output=("a", "b"), metadata=("input",))
    assert items(csv_of(tmp_path, "question,a,b,input,left\nwhy?,1,2,3,4\n", choice)) == [
        {"input": "why?", "expectedOutput": {"a": "1", "b": "2"}, "metadata": "3"}
    ]


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("input\n1,2\n", BadRow(2, "has 2 values for 1 columns")),
        (b"input\n\xff\n", BadRow(2, "is not UTF-8")),
        ('input\n"open\n', BadRow(2, "is not CSV (unexpected end of data): the rest of the file is not read")),
    ],
)
def test_bad_rows_of_csv_are_told_by_line(tmp_path: Path, text: str | bytes, bad: BadRow) -> None:
    assert csv_of(tmp_path, text) == [bad]


def test_a_bad_row_costs_no_other(tmp_path: Path) -> None:
    rows = json_of(tmp_path, b'{"input": 1}\n[1]\n{"a": NaN}\nnonsense\n\xff\n{"input": 2}')
    assert [(row.number, type(row)) for row in rows] == [
        (1, ItemRow), (2, BadRow), (3, BadRow), (4, BadRow), (5, BadRow), (6, ItemRow),
    ]  # fmt: skip


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    choice = ColumnChoice(input=("question",))
    (row,) = csv_of(tmp_path, "other\n1\n2\n", choice)
    assert row == BadRow(1, "has no column question: the rest of the file is not read")
    assert json_of(tmp_path, '{"other": 1}\n', choice) == [BadRow(1, "has no question")]


def test_rows_that_are_too_long_are_passed_over(tmp_path: Path) -> None:
    rows = json_of(tmp_path, json.dumps({"input": "x" * 3 * MAX_ROW}) + '\n{"input": 1}\n')
    assert rows == [BadRow(1, f"is longer than {MAX_ROW} bytes"), ItemRow(2, {"input": 1})]


def test_frames_are_read_with_their_types() -> None:
    frame = pd.DataFrame(
        {
            "input": [{"q": np.int64(1)}, ["a"], "text"],
            "metadata": [1.5, float("nan"), 2.0],
            "expected_output": [pd.Timestamp("2026-11-20T12:00:00Z"), pd.NaT, datetime(2026, 1, 2, tzinfo=UTC)],
        }
    )
    assert items(frame_rows(frame, ANY)) == [
        {"input": {"q": 1}, "metadata": 1.5, "expectedOutput": "2026-11-20T12:00:00+00:00"},
        {"input": ["a"]},
        {"input": "text", "metadata": 2.0, "expectedOutput": "2026-01-02T00:00:00+00:00"},
    ]


def test_values_of_frames_that_json_does_not_have_are_told() -> None:
    frame = pd.DataFrame({"input": [object(), 1, pd.NA]})
    assert list(frame_rows(frame, ANY)) == [
        BadRow(0, "object is no JSON value"),
        ItemRow(1, {"input": 1}),
        ItemRow(2, {}),
    ]
