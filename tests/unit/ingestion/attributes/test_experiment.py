"""Contract 4.2, experiment fields."""

import pytest

from tests.unit.ingestion.spans import row

FIELDS = (
    "id",
    "name",
    "description",
    "dataset.id",
    "item.id",
    "item.version",
    "item.root_observation_id",
    "item.expected_output",
)
SCOPES = ("langfuse-sdk", "my.tracer")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_kept_in_the_metadata(field: str, scope: str) -> None:
    key = f"langfuse.experiment.{field}"
    metadata = row({key: "value"}, around={"scope": (scope, "1")})["metadata"]
    assert metadata[key] == "value"
    assert "attributes" not in metadata


@pytest.mark.parametrize("key", ["langfuse.experiment.metadata", "langfuse.experiment.item.metadata"])
def test_metadata_of_the_experiment_and_the_item_are_flattened(key: str) -> None:
    metadata = row({key: '{"a": {"b": [1], "c": null}, "d": "e"}', f"{key}.f": "g"})["metadata"]
    found = {name: value for name, value in metadata.items() if name.startswith(key)}
    assert found == {f"{key}.a.b": "[1]", f"{key}.a.c": "", f"{key}.d": "e", f"{key}.f": "g"}
    assert row({key: "no object"})["metadata"][key] == "no object"
