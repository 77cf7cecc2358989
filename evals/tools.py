"""Calls of tools against those that were expected."""

import json
from collections import Counter
from collections.abc import Callable, Sequence

from heliograph.domain.evaluators import ToolCall
from heliograph.domain.tool_calls import tool_calls_of
from heliograph.evaluator import BOOLEAN, SHARE, Verdict, evaluator_factory

Score = Callable[..., Verdict]


@evaluator_factory(BOOLEAN)
def tool_names_match(*, in_order: bool = True) -> Score:
    """Whether exactly the expected tools were called, in their order unless that is waived.

    Source: ours; a list of names equals another, or its permutation does.
    """

    def score(tool_calls: object, expected_tool_calls: object) -> Verdict:
        said, meant = names(tool_calls), names(expected_tool_calls)
        same = said == meant if in_order else sorted(said) == sorted(meant)
        return Verdict(same, f"called {_listed(said)}, expected {_listed(meant)}")

    return score


@evaluator_factory(SHARE)
def tool_call_f1() -> Score:
    """The F1 of the names of called tools against the expected ones, each counted as often as it is called.

    Source: of the measure, van Rijsbergen, Information Retrieval (1979), chapter 7.
    """

    def score(tool_calls: object, expected_tool_calls: object) -> Verdict:
        said, meant = Counter(names(tool_calls)), Counter(names(expected_tool_calls))
        total = said.total() + meant.total()
        extra, missing = _listed([*(said - meant).elements()]), _listed([*(meant - said).elements()])
        return Verdict(2 * (said & meant).total() / total if total else 1.0, f"in excess {extra}, missing {missing}")

    return score


@evaluator_factory(SHARE)
def tool_arguments_match() -> Score:
    """The share of expected arguments that a call of the same tool passed with the same value.

    Calls of one tool are taken in their order. Expected calls without arguments count as one argument each.

    Source: argument accuracy as in Patil et al., Berkeley Function Calling Leaderboard (2024), by value.
    """

    def score(tool_calls: object, expected_tool_calls: object) -> Verdict:
        open_calls = tool_calls_of(tool_calls)
        right = total = 0
        wrong: list[str] = []
        for meant in tool_calls_of(expected_tool_calls):
            said = next((call for call in open_calls if call.name == meant.name), None)
            total += max(1, len(meant.arguments))
            if said is None:
                wrong.append(meant.name)
                continue
            open_calls.remove(said)
            bad = [key for key, value in meant.arguments.items() if not _is_equal(said, key, value)]
            right += max(1, len(meant.arguments)) - len(bad)
            wrong += [f"{meant.name}.{key}" for key in bad]
        return Verdict(right / total if total else 1.0, f"wrong or missing {_listed(wrong)}")

    return score


@evaluator_factory(BOOLEAN)
def tools_available() -> Score:
    """Whether every called tool was among those that the model was offered: the others it made up."""

    def score(tool_calls: object, available_tools: object) -> Verdict:
        unknown = sorted(set(names(tool_calls)) - set(offered(available_tools)))
        return Verdict(not unknown, f"made up {_listed(unknown)}")

    return score


def names(calls: object) -> list[str]:
    """The names of called tools; plain names are taken as they are."""
    if isinstance(calls, list | tuple) and all(isinstance(call, str) for call in calls):
        return list(calls)
    return [call.name for call in tool_calls_of(calls)]


def offered(tools: object) -> list[str]:
    """The names of tools that a model was offered: plain names, or definitions in OpenAI's or Anthropic's form."""
    given = json.loads(tools) if isinstance(tools, str) and tools[:1] in ("[", "{") else tools
    definitions = given if isinstance(given, list | tuple) else [given]
    return [
        tool if isinstance(tool, str) else str((tool.get("function") or tool).get("name", ""))
        for tool in definitions
        if isinstance(tool, str | dict)
    ]


def _is_equal(call: ToolCall, key: str, value: object) -> bool:
    return key in call.arguments and call.arguments[key] == value


def _listed(found: Sequence[str]) -> str:
    return ", ".join(found) or "none"
