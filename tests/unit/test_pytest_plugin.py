"""The pytest plugin where there is no server."""

import pytest

pytest_plugins = ["pytester"]

MARKED = """
    import pytest

    @pytest.mark.heliograph(dataset="qa"{gate})
    def test_answers(heliograph_experiment):
        heliograph_experiment(str, [])
"""


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for platform in ("HELIOGRAPH", "LANGFUSE"):
        for name in ("PUBLIC_KEY", "SECRET_KEY"):
            monkeypatch.delenv(f"{platform}_{name}", raising=False)


def test_without_keys_an_experiment_is_skipped(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MARKED.format(gate=""))
    pytester.runpytest_subprocess().assert_outcomes(skipped=1)


def test_without_keys_nothing_passes_a_gate(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MARKED.format(gate=', gate="release"'))
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*release cannot be asked*"])
