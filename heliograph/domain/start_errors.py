"""What keeps this server from starting: its packages, engines, migrations and data directory."""

from heliograph.domain.errors import HeliographError


class ForeignPackage(HeliographError):
    """The package {name!r} is found at {origin}, not in {root}: remove the other one from the Python path."""

    fields = ("name", "origin", "root")
    name: str
    origin: str
    root: str


class ForeignDataDirectory(HeliographError):
    """{path} is not a Heliograph data directory and is not empty: choose another with HELIOGRAPH_DATA_DIR."""

    fields = ("path",)
    path: str


class EngineFailed(HeliographError):
    """{engine} did not start: {reason}"""

    fields = ("engine", "reason")
    engine: str
    reason: str


class MigrationChanged(HeliographError):
    """ClickHouse migration {name} was changed after it was applied: restore the file and add a new one instead."""

    fields = ("name",)
    name: str


class CorruptDataDirectory(HeliographError):
    """{path} cannot be used: {reason}. Restore it from a backup, or choose an empty directory with
    HELIOGRAPH_DATA_DIR."""

    fields = ("path", "reason")
    path: str
    reason: str
