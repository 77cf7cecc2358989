"""Run an emitter and keep what it sends: `python -m tests.emitters.record NAME... [--lock]`."""

import argparse
import base64
import os
import subprocess
from pathlib import Path

from tests import environments
from tests.emitters import openai_server, recording

_KEYS = ("pk-lf-emitter", "sk-lf-emitter")
_SECONDS = 180


def main() -> None:
    """Record the emitters that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--lock", action="store_true", help="resolve the newest versions first")
    chosen = parser.parse_args()
    for name in chosen.names:
        if chosen.lock:
            environments.lock(recording.FOLDER / name)
        found = record(name)
        recording.save(name, found)
        size = recording.path_of(name).stat().st_size
        print(f"{name}: {len(found)} requests, {size:,} bytes kept")


def record(name: str) -> list[recording.Sent]:
    """What the emitter sends when its program runs."""
    command = _command(recording.FOLDER / name)
    with openai_server.serving() as openai, recording.receiving() as (address, requests):
        subprocess.run(command, env={**_own(), **connection(openai, address)}, timeout=_SECONDS, check=True)
        # Metrics are accepted and dropped.
        return [request for request in requests if not request.path.endswith("/v1/metrics")]


def connection(openai: str, heliograph: str, keys: tuple[str, str] = _KEYS) -> dict[str, str]:
    """What a user exports: the model's address, and Heliograph's for Langfuse's SDKs and for OpenTelemetry's."""
    public, secret = keys
    token = base64.b64encode(f"{public}:{secret}".encode()).decode()
    return {
        "OPENAI_BASE_URL": openai,
        "OPENAI_API_BASE": openai,
        "OPENAI_API_KEY": "none",
        "LANGFUSE_BASE_URL": heliograph,
        "LANGFUSE_HOST": heliograph,
        "LANGFUSE_PUBLIC_KEY": public,
        "LANGFUSE_SECRET_KEY": secret,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{heliograph}/api/public/otel",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Basic%20{token}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "emitter",
    }


def _command(folder: Path) -> list[str]:
    if (folder / "package.json").exists():
        return ["node", str(environments.node(folder) / "emit.mjs")]
    return [str(environments.python(folder)), str(folder / "emit.py")]


def _own() -> dict[str, str]:
    unwanted = ("HELIOGRAPH_", "LANGFUSE_", "OTEL_", "OPENAI_", "PYTHON", "VIRTUAL_ENV")
    return {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}


if __name__ == "__main__":
    main()
