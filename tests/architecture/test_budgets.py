"""The size budgets of the house style, measured over every Python file that is not a test."""

import ast
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "heliograph",
    "ingestion",
    "storage",
    "evals",
    "actors",
    "pipelines",
    "serve_apps",
    "dashboard",
    "operations",
    "migrations",
    "examples",
)

MEDIAN_FUNCTION_LINES = 9
MAX_FUNCTION_LINES = 60
P90_FILE_LINES = 300
MAX_FILE_LINES = 450
MAX_PARAMETERS = 6
MAX_POSITIONAL_PARAMETERS = 3
MAX_PUBLIC_METHODS = 10

UNCLEAR_NAMES = {
    "utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager", "service", "services",
    "repository", "handler", "handlers", "processor", "wrapper", "impl", "info",
}  # fmt: skip

# The signature is not ours to choose.
FOREIGN_SIGNATURES = {
    ("heliograph/settings.py", "settings_customise_sources"),
    *(
        ("storage/json_schemas.py", name)
        for name in ("check", "_pattern", "_pattern_properties", "_additional_properties")
    ),
}

# OTLP's own name of a message.
FOREIGN_NAMES = {"ExportTraceServiceRequest"}

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, ast.Module]:
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in paths}


@cache
def file_lines() -> dict[str, int]:
    return {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in modules()}


def functions() -> Iterator[tuple[str, AnyFunction]]:
    for name, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, node


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for name, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                yield name, node


def length(function: AnyFunction) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def positional(function: AnyFunction) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"], ["mcs"]) else names


def percentile_90(values: list[int]) -> float:
    return statistics.quantiles(values, n=10, method="inclusive")[-1]


def is_public_method(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
        return False
    # A property reads as a field.
    return not any(ast.unparse(decorator).endswith("property") for decorator in node.decorator_list)


def test_the_median_function_is_short() -> None:
    assert statistics.median(length(function) for _, function in functions()) <= MEDIAN_FUNCTION_LINES


def test_no_function_is_long() -> None:
    long = [(name, function.name, length(function)) for name, function in functions()]
    assert [entry for entry in long if entry[2] > MAX_FUNCTION_LINES] == []


def test_most_files_are_short() -> None:
    lengths = [lines for name, lines in file_lines().items() if not name.endswith("__init__.py")]
    assert percentile_90(lengths) <= P90_FILE_LINES


def test_no_file_is_long() -> None:
    assert {name: lines for name, lines in file_lines().items() if lines > MAX_FILE_LINES} == {}


def test_functions_take_few_parameters() -> None:
    found = [
        (name, function.name, len(positional(function)) + len(function.args.kwonlyargs))
        for name, function in functions()
    ]
    assert [entry for entry in found if entry[2] > MAX_PARAMETERS] == []


def test_parameters_beyond_three_are_keyword_only() -> None:
    found = [
        (name, function.name)
        for name, function in functions()
        if len(positional(function)) > MAX_POSITIONAL_PARAMETERS and (name, function.name) not in FOREIGN_SIGNATURES
    ]
    assert found == []


def test_classes_have_few_public_methods() -> None:
    found = [(name, node.name, sum(map(is_public_method, node.body))) for name, node in classes()]
    assert [entry for entry in found if entry[2] > MAX_PUBLIC_METHODS] == []


def snake(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name).lower().strip("_")


def test_names_say_what_a_thing_does() -> None:
    files = [(name, Path(name).stem) for name in modules()]
    types = [(name, snake(node.name)) for name, node in classes() if node.name not in FOREIGN_NAMES]
    unclear = [(name, word) for name, word in files + types if UNCLEAR_NAMES & set(word.split("_"))]
    assert unclear == []
