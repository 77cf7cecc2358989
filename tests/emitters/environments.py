"""The environment of an emitter: exactly what its lock file says, built when it is first asked for."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.emitters.recording import FOLDER

_ROOT = FOLDER.parents[1]
# Outside the tree of tests, and ignored by git.
_CACHE = _ROOT / "build" / "emitters"
_UV = (sys.executable, "-m", "uv")
_LOCK_OPTIONS = (
    "--quiet", "--python-version", "3.11", "--no-header", "--no-annotate", "--no-emit-index-url",
    "--no-emit-find-links", "--no-strip-extras",
)  # fmt: skip


def lock(name: str) -> None:
    """Write the lock file of what `requirements.in` asks for."""
    folder = FOLDER / name
    subprocess.run(
        [*_UV, "pip", "compile", "requirements.in", *_LOCK_OPTIONS, "--upgrade", "-o", "requirements.lock"],
        cwd=folder,
        check=True,
    )


def command(name: str) -> list[str]:
    """What runs the emitter, in its own environment."""
    folder = FOLDER / name
    if (folder / "package.json").exists():
        return ["node", str(_node(folder) / "emit.mjs")]
    return [str(_python(folder)), str(folder / "emit.py")]


def _python(folder: Path) -> Path:
    locked = folder / "requirements.lock"
    place = _CACHE / f"{folder.name}-{_digest(locked)}"
    python = place / "bin" / "python"
    if not (place / "complete").exists():
        subprocess.run([*_UV, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], check=True)
        install = [*_UV, "pip", "install", "--quiet", "--no-deps", "--python", str(python), "-r", str(locked)]
        subprocess.run(install, check=True)
        (place / "complete").touch()
    return python


def _node(folder: Path) -> Path:
    place = _CACHE / f"{folder.name}-{_digest(folder / 'package-lock.json')}"
    if not (place / "complete").exists():
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, place)
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True)
        (place / "complete").touch()
    # Node looks for packages beside the program.
    shutil.copy(folder / "emit.mjs", place)
    return place


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
