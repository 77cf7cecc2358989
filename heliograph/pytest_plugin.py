"""The pytest plugin: a test that runs an experiment and is held to a gate."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from heliograph.client.experiments.experiment import ExperimentRun
    from heliograph.client.project import Project

_MARKER = (
    "heliograph(dataset, gate=None, experiment=None): runs an experiment over a dataset, and is held to a gate of the "
    "server where one is named"
)
# Rows of a run are read from ClickHouse, about a second after they were acknowledged.


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names experiments."""
    parser.getgroup("heliograph").addoption(
        "--heliograph-experiment", default="", help="name of the experiments of marked tests; by default the time"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


class MarkedExperiment:
    """Runs the experiment of a marked test.

    Example:
        >>> @pytest.mark.heliograph(dataset="qa/hard", gate="release")
        ... def test_answers_are_good_enough(heliograph_experiment):
        ...     heliograph_experiment(answer, [exact])
    """

    def __init__(self, project: "Project", name: str, dataset: str, *, gate: str | None) -> None:
        self._project = project
        self.name = name
        self._dataset = dataset
        self._gate = gate

    def __call__(
        self, task: Callable[..., Any], evaluators: Sequence[Any] = (), *, concurrency: int = 16
    ) -> "ExperimentRun":
        """Run the task over the dataset and hold it to the gate; the test fails with the reasons.

        Args:
            task: see `Project.experiment`.
            evaluators: what judges its outputs.
            concurrency: how many items run at once.
        """
        run = self._project.experiment(self._dataset, task, evaluators, name=self.name).run(concurrency=concurrency)
        if self._gate is not None:
            verdict = self._project.gates.check(self._gate, self.name).answer
            if not verdict.passed:
                pytest.fail(f"{self.name} does not pass {self._gate}:\n" + "\n".join(verdict.reasons), pytrace=False)
        return run


@pytest.fixture
def heliograph_experiment(request: pytest.FixtureRequest) -> Any:
    """What runs the experiment of a test that is marked `heliograph`.

    Without keys the test is skipped; where it is held to a gate it fails, since what nobody has judged passes none.
    """
    from heliograph.client.connecting import connect  # noqa: PLC0415 - pytest loads this file in every project
    from heliograph.domain.errors import InvalidRequest  # noqa: PLC0415

    marker = request.node.get_closest_marker("heliograph")
    if marker is None:
        pytest.fail("mark the test: @pytest.mark.heliograph(dataset=…)", pytrace=False)
    dataset, gate = marker.kwargs["dataset"], marker.kwargs.get("gate")
    try:
        project = connect()
    except InvalidRequest as missing:
        if gate is not None:
            pytest.fail(f"{missing}: {gate} cannot be asked", pytrace=False)
        pytest.skip(str(missing))
    name = request.config.getoption("--heliograph-experiment") or f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    prefix = marker.kwargs.get("experiment") or request.node.name
    with project:
        yield MarkedExperiment(project, f"{prefix} {name}", dataset, gate=gate)
