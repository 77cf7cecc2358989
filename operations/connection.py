"""The file with the address and the first project's keys, for people, SDKs and examples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from heliograph.settings import CONNECTION_FILE


@dataclass(frozen=True)
class Connection:
    """How an application reaches one project."""

    url: str
    public_key: str
    secret_key: str

    @property
    def lines(self) -> list[str]:
        """Three lines for a shell or an .env file."""
        return [
            f"HELIOGRAPH_URL={self.url}",
            f"HELIOGRAPH_PUBLIC_KEY={self.public_key}",
            f"HELIOGRAPH_SECRET_KEY={self.secret_key}",
        ]

    @property
    def langfuse_lines(self) -> list[str]:
        """The same under the names that an unmodified Langfuse SDK reads."""
        return [
            f"LANGFUSE_BASE_URL={self.url}",
            f"LANGFUSE_PUBLIC_KEY={self.public_key}",
            f"LANGFUSE_SECRET_KEY={self.secret_key}",
        ]

    def write(self, data: Path) -> None:
        """Keep it in the data directory, readable by its owner alone: it holds the secret in clear."""
        path = data / CONNECTION_FILE
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text("\n".join([*self.lines, *self.langfuse_lines, ""]), "utf-8")
        draft.replace(path)

    @classmethod
    def read(cls, data: Path) -> Self | None:
        """What the last start wrote, or nothing."""
        path = data / CONNECTION_FILE
        if not path.exists():
            return None
        values = dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines() if "=" in line)
        return cls(
            values.get("HELIOGRAPH_URL", ""),
            values.get("HELIOGRAPH_PUBLIC_KEY", ""),
            values.get("HELIOGRAPH_SECRET_KEY", ""),
        )
