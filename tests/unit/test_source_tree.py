import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.source_tree import ROOT, check_packages


def test_our_packages_are_ours() -> None:
    check_packages()


@pytest.mark.parametrize("name", ["storage", "evals"])
def test_another_package_of_the_same_name_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; from heliograph import source_tree as t;"

    done = subprocess.run(
        [sys.executable, "-c", f"{program} t.check_packages()"], capture_output=True, text=True, check=False
    )

    assert f"ForeignPackage: The package {name!r} is found at {tmp_path / name}" in done.stderr
