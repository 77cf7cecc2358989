"""All evaluators of the catalogue by family, and what each says of itself."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from evals import limits, pairwise, privacy, sessions, similarity, structured, text, tools, trajectory
from evals.judges import agents, conversations, criteria, grounding, quality, safety
from heliograph.evaluator import EvaluatorFactory

Kind = Literal["heuristic", "embedding", "judge"]

FAMILIES: Mapping[str, tuple[ModuleType, ...]] = {
    "Texts": (text,),
    "Similarity": (similarity,),
    "Structured outputs": (structured,),
    "Limits": (limits,),
    "Privacy": (privacy,),
    "Tools": (tools,),
    "Traces": (trajectory,),
    "Sessions": (sessions,),
    "Judges of answers": (quality, criteria),
    "Judges of grounding": (grounding,),
    "Judges of safety": (safety,),
    "Judges of agents and code": (agents,),
    "Judges of conversations": (conversations,),
    "Judges of pairs": (pairwise,),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An evaluator of the catalogue."""

    family: str
    kind: Kind
    factory: EvaluatorFactory[...]
    inputs: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.factory.name

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.factory.make) or "").partition("\n")[0]

    @property
    def source(self) -> str:
        """Where its formula or rubric comes from, as its docstring says; '' where it says nothing of it."""
        return " ".join((inspect.getdoc(self.factory.make) or "").partition("Source:")[2].split())

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its parameters, with their defaults."""
        return tuple(
            name if parameter.default is parameter.empty else f"{name}={parameter.default!r}"
            for name, parameter in inspect.signature(self.factory.make).parameters.items()
        )

    @property
    def values(self) -> str:
        """Which values it gives: `0 to 1`, `true or false`, or its labels."""
        rule = self.factory.values
        if rule is None or rule.categories:
            return ", ".join(rule.categories) if rule else "any"
        if rule.minimum is not None and rule.maximum is not None:
            return f"{rule.minimum:g} to {rule.maximum:g}"
        return "true or false" if rule.data_type == "BOOLEAN" else "a number"


class _Nobody:
    """Stands for the judge or embedder of an evaluator that is only described."""

    identity = "nobody"


# What stands for the parameters without a default.
_EXAMPLES: Mapping[str, Any] = {
    "judge": _Nobody(), "embedder": _Nobody(), "text": "x", "pattern": "x", "keywords": ["x"], "words": ["x"],
    "schema": {}, "criteria": "x", "guideline": "x", "role": "x",
}  # fmt: skip


def entries() -> list[Entry]:
    """The catalogue, family by family, in the order of the source."""
    return [
        _entry(family, found)
        for family, modules in FAMILIES.items()
        for module in modules
        for found in vars(module).values()
        if isinstance(found, EvaluatorFactory) and found.make.__module__ == module.__name__
    ]


def _entry(family: str, factory: EvaluatorFactory[...]) -> Entry:
    parameters = inspect.signature(factory.make).parameters
    needed = {name: _EXAMPLES[name] for name, one in parameters.items() if one.default is one.empty}
    made = factory(**needed)
    kind: Kind = "judge" if "judge" in parameters else "embedding" if "embedder" in parameters else "heuristic"
    return Entry(family, kind, factory, made.inputs, made.optional)


def as_markdown() -> str:
    """The catalogue as tables, as docs/evaluators.md holds them."""
    found = entries()
    parts = []
    for family in FAMILIES:
        rows = [
            f"| `{entry.name}({', '.join(entry.parameters)})` | {_inputs(entry)} | {entry.values} | {entry.summary} |"
            for entry in found
            if entry.family == family
        ]
        parts.append(
            "\n".join(
                [f"### {family}", "", "| evaluator | inputs | values | what it says |", "|---|---|---|---|", *rows]
            )
        )
    return "\n\n".join(parts)


def _inputs(entry: Entry) -> str:
    return ", ".join([*entry.inputs, *(f"({name})" for name in entry.optional)])


if __name__ == "__main__":
    print(as_markdown())  # noqa: T201 - `python -m evals.catalogue` writes the tables
