"""The source tree that the platform runs from: plain top-level packages, whose names others may have taken too."""

from importlib.util import find_spec
from pathlib import Path

from heliograph.domain.start_errors import ForeignPackage

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "heliograph", "ingestion", "storage", "evals", "actors", "pipelines", "serve_apps", "dashboard", "operations",
    "migrations",
)  # fmt: skip


def check_packages() -> None:
    """Make sure that each package resolves to ours; a worker elsewhere may find another one first.

    Raises:
        ForeignPackage: one is missing, or is somebody else's.
    """
    for name in PACKAGES:
        spec = find_spec(name)
        origin = spec.origin if spec and spec.origin else ""
        if not origin or Path(origin).resolve().parent != ROOT / name:
            raise ForeignPackage(name, origin or "nowhere", str(ROOT))
