"""Tells whether what runs is still what would be started now."""

import hashlib

from heliograph.settings import Settings
from heliograph.source_tree import PACKAGES, ROOT


def fingerprint(settings: Settings) -> str:
    """A hash over the settings and every source file of the platform."""
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in {".py", ".sql", ".json"}:
                digest.update(str(path.relative_to(ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
