from pathlib import Path

from heliograph.settings import CONNECTION_FILE
from operations.connection import Connection

CONNECTION = Connection("http://127.0.0.1:3000", "pk-lf-1", "sk-lf-2=")


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    CONNECTION.write(tmp_path)

    assert Connection.read(tmp_path) == CONNECTION


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    CONNECTION.write(tmp_path)

    assert (tmp_path / CONNECTION_FILE).stat().st_mode & 0o777 == 0o600


def test_the_langfuse_names_hold_the_same_values(tmp_path: Path) -> None:
    CONNECTION.write(tmp_path)

    text = (tmp_path / CONNECTION_FILE).read_text()
    assert "LANGFUSE_BASE_URL=http://127.0.0.1:3000\n" in text
    assert "LANGFUSE_PUBLIC_KEY=pk-lf-1\n" in text
    assert "LANGFUSE_SECRET_KEY=sk-lf-2=\n" in text


def test_nothing_is_read_before_the_first_start(tmp_path: Path) -> None:
    assert Connection.read(tmp_path) is None
