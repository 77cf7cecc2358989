"""The one data directory: recognised by its marker, with the secrets that its first start generated."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heliograph.domain.start_errors import CorruptDataDirectory, ForeignDataDirectory
from heliograph.settings import SECRETS_FILE, generated_secrets

MARKER = "heliograph.json"
FORMAT = 1


def open_directory(path: Path, given: Mapping[str, Any] | None = None) -> None:
    """Make sure that the directory is ours, with a marker and secrets; a second call changes nothing.

    Args:
        path: the data directory.
        given: secrets in the shape of the settings, kept instead of generated ones: the engines are set up with them.

    Raises:
        ForeignDataDirectory: it holds something else.
        CorruptDataDirectory: its marker or its secrets cannot be used, or a newer release wrote them.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise ForeignDataDirectory(str(path)) from None
    marker = path / MARKER
    if marker.exists():
        _check(marker)
    elif any(entry.name not in {"run", "logs"} for entry in path.iterdir()):
        raise ForeignDataDirectory(str(path))
    else:
        _write(marker, {"format": FORMAT})
    secrets = path / SECRETS_FILE
    if secrets.exists():
        known = _read(secrets)
        # Those that a later release needs besides.
        if not generated_secrets().keys() <= known.keys():
            _write(secrets, _merged(generated_secrets(), given or {}) | known)
    elif _holds_data(path):
        raise CorruptDataDirectory(str(secrets), "it is missing, while the engines have data already")
    else:
        _write(secrets, _merged(generated_secrets(), given or {}))


def _merged(generated: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return generated | {
        name: generated[name] | value if isinstance(value, dict) else value for name, value in given.items()
    }


def _check(marker: Path) -> None:
    found = _read(marker).get("format")
    if not isinstance(found, int):
        raise CorruptDataDirectory(str(marker), "it names no format")
    if found > FORMAT:
        raise CorruptDataDirectory(str(marker), f"format {found} belongs to a newer release than this one")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptDataDirectory(str(path), str(error)) from error
    if not isinstance(content, dict):
        raise CorruptDataDirectory(str(path), "it is not a JSON object")
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    """Create the file at once and readable by its owner alone, so that a kill leaves none or all of it."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _holds_data(path: Path) -> bool:
    return any((path / name).exists() for name in ("clickhouse", "postgres", "seaweed"))
