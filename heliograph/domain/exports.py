"""Exports: rows of a project as files by day, with a manifest of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import field_validator

from heliograph.domain.backfills import Backfill, PartReport
from heliograph.domain.selections import SelectedTable, Selection

# The file that is written last.
MANIFEST = "manifest.json"


class ExportFormat(StrEnum):
    """The format of the files, and the ending of their names."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


class ExportRequest(Selection):
    """Which rows, in which format."""

    table: SelectedTable
    format: ExportFormat = ExportFormat.PARQUET

    @field_validator("limit")
    @classmethod
    def _whole(cls, limit: int | None) -> int | None:
        if limit is not None:
            raise ValueError("cannot be exported: parts are written beside each other")
        return limit


@dataclass(frozen=True)
class ExportedFile:
    """One file: its name with the day in it, its rows, bytes and SHA-256 in hexadecimal."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an export holds: its files in the order of their days, and the Arrow type of each column."""

    table: str
    format: str
    columns: Mapping[str, str]
    files: Sequence[ExportedFile]

    @property
    def rows(self) -> int:
        """Of all files."""
        return sum(file.rows for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "rows": self.rows}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        files = [ExportedFile(**file) for file in found["files"]]
        return cls(found["table"], found["format"], found["columns"], files)


def manifest_of(backfill: Backfill, reports: Mapping[int, PartReport]) -> Manifest:
    """What is written so far."""
    asked = ExportRequest.model_validate(backfill.asked)
    written = [reports[number].found for number in sorted(reports)]
    columns: Mapping[str, str] = next((dict(one["columns"]) for one in written if one["file"]["rows"]), {})
    files = [ExportedFile(**one["file"]) for one in written if one["file"]["rows"]]
    return Manifest(asked.table.value, asked.format.value, columns, files)
