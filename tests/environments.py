"""Environments of programs that are not ours: exactly what a folder's lock file says, built when first asked for."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

# Outside the tree of tests, and ignored by git.
_CACHE = Path(__file__).parents[1] / "build" / "environments"
_UV = (sys.executable, "-m", "uv")
_LOCK_OPTIONS = (
    "--quiet", "--python-version", "3.11", "--no-header", "--no-annotate", "--no-emit-index-url",
    "--no-emit-find-links", "--no-strip-extras",
)  # fmt: skip


def lock(folder: Path) -> None:
    """Write `requirements.lock`, the newest of what `requirements.in` asks for."""
    subprocess.run(
        [*_UV, "pip", "compile", "requirements.in", *_LOCK_OPTIONS, "--upgrade", "-o", "requirements.lock"],
        cwd=folder,
        check=True,
    )


def python(folder: Path) -> Path:
    """An interpreter with the packages of the folder's `requirements.lock`."""
    locked = folder / "requirements.lock"
    place = _place(folder, locked)
    found = place / "bin" / "python"
    if not (place / "complete").exists():
        subprocess.run([*_UV, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], check=True)
        install = [*_UV, "pip", "install", "--quiet", "--no-deps", "--python", str(found), "-r", str(locked)]
        subprocess.run(install, check=True)
        (place / "complete").touch()
    return found


def node(folder: Path) -> Path:
    """A copy of the folder's programs beside the packages of its `package-lock.json`, as Node looks for them."""
    place = _place(folder, folder / "package-lock.json")
    if not (place / "complete").exists():
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, place)
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True)
        (place / "complete").touch()
    for program in folder.glob("*.mjs"):
        shutil.copy(program, place)
    return place


def _place(folder: Path, locked: Path) -> Path:
    return _CACHE / f"{folder.name}-{hashlib.sha256(locked.read_bytes()).hexdigest()[:12]}"
