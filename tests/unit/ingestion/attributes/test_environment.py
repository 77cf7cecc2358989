"""Contract 4.2: environment, release, version, service and scope."""

import json
from typing import Any

import pytest

from tests.unit.ingestion.spans import row

KEYS = ("langfuse.environment", "deployment.environment.name", "deployment.environment")


def environment(attributes: dict[str, Any], resource: dict[str, Any]) -> str:
    return str(row(attributes, around={"resource": resource})["environment"])


@pytest.mark.parametrize("place", range(len(KEYS)), ids=KEYS)
def test_per_key_the_span_comes_before_the_resource_and_either_before_the_next_key(place: int) -> None:
    later = dict.fromkeys(KEYS[place + 1 :], "later")
    key = KEYS[place]
    assert environment({key: "of-span", **later}, {key: "of-resource", **later}) == "of-span"
    assert environment(later, {key: "of-resource", **later}) == "of-resource"
    assert environment({key: "", **later}, {key: "of-resource"}) == "of-resource"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Production", "production"),
        ("langfuse-langfuse_prod", "prod"),
        ("langfuseprod", "prod"),
        ("langfuse", "default"),
        ("x" * 50, "x" * 40),
        ("not valid!", "default"),
        ("", "default"),
        (7, "7"),
    ],
)
def test_environments_are_normalised(name: object, expected: str) -> None:
    assert environment({"langfuse.environment": name}, {}) == expected


JUDGED = {"trace": {"environment": "langfuse-llm-as-a-judge"}}
OPENROUTER = {"openrouter.source": "openrouter", "completion.rawRequest": json.dumps(JUDGED)}


@pytest.mark.parametrize(
    ("attributes", "resource", "expected"),
    [
        (OPENROUTER, {"service.name": "openrouter"}, "langfuse-llm-as-a-judge"),
        (OPENROUTER | {"completion.rawRequest": JUDGED}, {"service.name": "openrouter"}, "langfuse-llm-as-a-judge"),
        (
            {
                "openrouter.source": "openrouter",
                "completion.rawRequest.trace.environment": "langfuse-llm-as-a-judge",
            },
            {"service.name": "openrouter"},
            "langfuse-llm-as-a-judge",
        ),
        (OPENROUTER, {"service.name": "shop"}, "default"),
        (OPENROUTER | {"openrouter.source": "other"}, {"service.name": "openrouter"}, "default"),
        (
            OPENROUTER | {"completion.rawRequest": '{"trace": {"environment": "prod"}}'},
            {"service.name": "openrouter"},
            "default",
        ),
        (OPENROUTER | {"completion.rawRequest": "broken"}, {"service.name": "openrouter"}, "default"),
        (OPENROUTER | {"langfuse.environment": "prod"}, {"service.name": "openrouter"}, "prod"),
    ],
)
def test_environment_of_judges_is_recovered_from_openrouters_failed_requests(
    attributes: dict[str, Any], resource: dict[str, Any], expected: str
) -> None:
    assert environment(attributes, resource) == expected


@pytest.mark.parametrize(
    ("column", "attributes", "resource", "expected"),
    [
        ("release", {"langfuse.release": "r1"}, {"langfuse.release": "r0"}, "r1"),
        ("release", {}, {"langfuse.release": "r0"}, "r0"),
        ("release", {}, {}, ""),
        ("version", {"langfuse.version": "v1"}, {"service.version": "s2"}, "v1"),
        ("version", {}, {"service.version": "s2"}, "s2"),
        ("version", {}, {}, ""),
        ("service_name", {}, {"service.name": "shop"}, "shop"),
        ("service_version", {"langfuse.version": "v1"}, {"service.version": "s2"}, "s2"),
        ("scope_name", {}, {}, "langfuse-sdk"),
        ("scope_version", {}, {}, "5.0.4"),
        ("source", {}, {}, "otel"),
        ("ingestion_api_key", {}, {}, "pk-lf-test"),
        ("ingestion_sdk_name", {}, {}, "python"),
        ("ingestion_sdk_version", {}, {}, "5.0.4"),
    ],
)
def test_where_an_observation_came_from(
    column: str, attributes: dict[str, Any], resource: dict[str, Any], expected: str
) -> None:
    assert row(attributes, around={"resource": resource})[column] == expected


def test_the_telemetry_sdk_is_kept_among_the_resources_attributes() -> None:
    resource = {f"telemetry.sdk.{name}": name for name in ("language", "name", "version")}
    assert json.loads(row(around={"resource": resource})["metadata"]["resourceAttributes"]) == resource
