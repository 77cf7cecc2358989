"""What Heliograph does not keep, and how it says so."""

import importlib
from typing import Any

import pytest


@pytest.mark.needs("unstable.skills.list")
def test_skills_are_refused_as_a_route_that_is_not_there(api: Any) -> None:
    refused = importlib.import_module("langfuse.api").NotFoundError

    with pytest.raises(refused) as told:
        api("unstable.skills.list")

    assert told.value.body["code"] == "resource_not_found"
    assert "There is no endpoint GET /api/public/unstable/skills" in told.value.body["message"]
