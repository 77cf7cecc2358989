"""Errors cross Ray: each one survives pickling, and its docstring formats into its message."""

import importlib
import pickle
import pkgutil

import pytest

import storage
from heliograph import domain
from heliograph.domain.errors import HeliographError, InvalidRequest, Overloaded


def every_error(parent: type[HeliographError] = HeliographError) -> list[type[HeliographError]]:
    for package in (domain, storage):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("operations.errors")
    importlib.import_module("evals.errors")
    found: list[type[HeliographError]] = []
    pending = [parent]
    while pending:
        error = pending.pop()
        found.append(error)
        pending.extend(error.__subclasses__())
    return sorted(set(found), key=lambda error: error.__name__)


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_error_survives_pickling_with_its_fields(error: type[HeliographError]) -> None:
    raised = error(*range(len(error.fields)))
    again = pickle.loads(pickle.dumps(raised))  # noqa: S301 - our own bytes
    assert type(again) is error
    assert again.args == raised.args
    assert [getattr(again, name) for name in error.fields] == list(range(len(error.fields)))


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_error_formats_its_docstring_with_every_field(error: type[HeliographError]) -> None:
    values = [f"value-{name}" for name in error.fields]
    message = str(error(*values))
    assert message
    assert "{" not in message
    assert all(value in message for value in values)


def test_message_is_one_line() -> None:
    assert "\n" not in "".join(str(error(*error.fields)) for error in every_error())


def test_missing_argument_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        InvalidRequest("limit")


def test_retry_after_is_a_plain_number() -> None:
    assert Overloaded(0.5).retry_after == 0.5
