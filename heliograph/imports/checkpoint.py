"""How far an import has come, in a file beside the one who runs it."""

import json
from datetime import UTC, datetime
from pathlib import Path


class Checkpoint:
    """Steps that are done; a file of another source is refused by its name not being there.

    Attributes:
        until: nothing later than this is imported, so that pages stay the same while the source takes more.
    """

    def __init__(self, path: Path | None, source: str) -> None:
        self._path = path
        known = json.loads(path.read_text("utf-8")) if path is not None and path.is_file() else {}
        found = known if known.get("source") == source else {}
        self._source = source
        self.until = found.get("until") or datetime.now(UTC).isoformat()
        self._pages: dict[str, int] = found.get("pages", {})

    def page(self, step: str) -> int:
        """The next page of a step, from 1."""
        return self._pages.get(step, 1)

    def advance(self, step: str, page: int) -> None:
        """Note that all pages below this one are stored."""
        self._pages[step] = page
        if self._path is not None:
            part = self._path.with_name(f"{self._path.name}.part")
            part.write_text(json.dumps({"source": self._source, "until": self.until, "pages": self._pages}), "utf-8")
            part.replace(self._path)
