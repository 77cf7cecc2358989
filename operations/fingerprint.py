"""Tells whether what runs is still what would be started now."""

import hashlib
from pathlib import Path

from heliograph.settings import Settings

PACKAGES = (
    "heliograph", "ingestion", "storage", "evals", "actors", "pipelines", "serve_apps", "dashboard", "operations",
    "migrations",
)  # fmt: skip


def fingerprint(settings: Settings) -> str:
    """A hash over the settings and every source file of the platform."""
    digest = hashlib.sha256(settings.model_dump_json().encode())
    root = Path(__file__).resolve().parent.parent
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in {".py", ".sql", ".json"}:
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
