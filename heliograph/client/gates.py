"""Gates: policies kept by the server that experiments are held to."""

from typing import Any
from urllib.parse import quote

from heliograph.client.connection import Connection
from heliograph.client.figures import Figures
from heliograph.domain.gates import Gate, GateCheck, GateVerdict


class Gates:
    """The gates of a project.

    Example:
        >>> rule = GateRule(metric="exact", at_least=0.8)
        >>> project.gates.put(Gate(name="release", dataset_name="qa/hard", rules=[rule]))
        >>> project.gates.check("release", "prompt 4").answer.passed
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> list[Gate]:
        """Every gate, by name."""
        return [Gate.model_validate(one) for one in self._connection.request("GET", "/gates")["data"]]

    def put(self, gate: Gate) -> Gate:
        """Keep a gate in place of the one of that name; raises NotFound without its dataset."""
        return Gate.model_validate(self._connection.request("PUT", _path(gate.name), gate.model_dump(mode="json")))

    def get(self, name: str) -> Gate:
        """One gate; raises NotFound."""
        return Gate.model_validate(self._connection.request("GET", _path(name)))

    def remove(self, name: str) -> None:
        """Remove a gate; raises NotFound."""
        self._connection.request("DELETE", _path(name))

    def check(self, name: str, experiment: str, *, baseline: str = "") -> Figures[GateVerdict]:
        """Whether an experiment passes, one row a rule; the same question always has the same answer.

        Args:
            name: of the gate.
            experiment: the name of the one that is held to it.
            baseline: the experiment that differences are from, in place of the gate's own.

        Raises:
            NotFound: there is no such gate or experiment.
        """
        asked = GateCheck(experiment=experiment, baseline=baseline or None)
        body = asked.model_dump(mode="json", exclude_none=True)
        answer = GateVerdict.model_validate(self._connection.request("POST", f"{_path(name)}/check", body))
        caption = f"{name}: {experiment} {'passes' if answer.passed else 'does not pass'}"
        return Figures.of(answer, map(_row, answer.rules), caption)


def _row(one: Any) -> dict[str, Any]:
    shown = {"metric": one.rule.metric, "of": one.rule.of, "at_least": one.rule.at_least, "at_most": one.rule.at_most}
    found = {} if one.estimate is None else {"figure": one.estimate, "n": one.estimate.counts.n}
    return {**shown, **found, "passed": one.passed, "reason": one.reason}


def _path(name: str) -> str:
    return f"/gates/{quote(name, safe='')}"
