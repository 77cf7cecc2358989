"""The managed price list, written anew from the newest `genai-prices` on PyPI."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ingestion.managed_prices import MANAGED_PRICES
from operations.errors import PriceSourceUnavailable
from operations.price_documents import documents_of

PACKAGE = "genai-prices"
HOME = "https://github.com/pydantic/genai-prices"

# Runs in a process of its own, on the package in a folder of its own: nothing of it is ever installed here.
_DUMP = """
import dataclasses, datetime, decimal, importlib.metadata, json, sys
from genai_prices import data, types

def plain(value):
    if isinstance(value, types.ModelPrice):
        return {key: plain(price) for key, price in vars(value).items() if not key.startswith("_")}
    if dataclasses.is_dataclass(value):
        fields = {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    if isinstance(value, list):
        return list(map(plain, value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, (decimal.Decimal, datetime.date, datetime.time)) else value

models = lambda provider: [
    {name: plain(getattr(model, name)) for name in ("id", "match", "prices", "price_variants")}
    for model in provider.models
]
providers = [{"id": provider.id, "models": models(provider)} for provider in data.providers]
json.dump({"version": importlib.metadata.version("genai-prices"), "providers": providers}, sys.stdout)
"""


@dataclass(frozen=True)
class Refreshed:
    """The new list against the one before: where it is from, and the ids of what was added, removed and changed."""

    version: str
    models: int
    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[str]


def refresh(target: Path = MANAGED_PRICES, *, version: str = "", today: date | None = None) -> Refreshed:
    """Write the list; raises PriceSourceUnavailable when the package cannot be fetched or read.

    Args:
        target: the file.
        version: the release of the package; the newest when it is ''.
        today: the date to write into it.
    """
    source = _fetched(f"{PACKAGE}=={version}" if version else PACKAGE)
    documents = documents_of(source["providers"])
    before = _by_id(json.loads(target.read_text())["models"]) if target.exists() else {}
    after = _by_id(documents)
    made_on = (today or datetime.now(UTC).date()).isoformat()
    head = {"package": PACKAGE, "version": source["version"], "home": HOME, "generated_on": made_on}
    target.write_text(_text(head, documents))
    return Refreshed(
        version=source["version"],
        models=len(after),
        added=sorted(after.keys() - before.keys()),
        removed=sorted(before.keys() - after.keys()),
        changed=sorted(each for each in after.keys() & before.keys() if after[each] != before[each]),
    )


def _by_id(documents: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {document["id"]: document for document in documents}


def _fetched(requirement: str) -> Any:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}") or shutil.which("uv")
    if uv is None:
        raise PriceSourceUnavailable(requirement, "uv is not installed")
    with tempfile.TemporaryDirectory() as folder:
        _output([uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, requirement])
        # The folder is where it runs, which `-c` puts before everything else on the path.
        return json.loads(_output([sys.executable, "-c", _DUMP], folder))


def _output(command: Sequence[str], folder: str | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if done.returncode:
        raise PriceSourceUnavailable(PACKAGE, (done.stderr.strip().splitlines() or ["it failed"])[-1].strip())
    return done.stdout


def _text(head: dict[str, str], documents: Sequence[dict[str, Any]]) -> str:
    """One line for each model, so that a refresh is a difference that people can read."""
    lines = ",\n".join(f"    {json.dumps(document)}" for document in documents)
    return f'{{\n  "source": {json.dumps(head)},\n  "models": [\n{lines}\n  ]\n}}\n'
