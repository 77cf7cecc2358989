"""Examples for the API's document, made of its schemas: a value for each field by its name, else by its type."""

import math
from collections.abc import Mapping
from typing import Any

_REFERENCE = "#/components/schemas/"
_MAX_DEPTH = 6
_MOMENT = "2026-05-04T10:11:12.345Z"
_TEXTS = {
    "accessKeyId": "AKIAEXAMPLE",
    "author": "user-7",
    "authorUserId": "user-7",
    "bucketName": "traces-of-ours",
    "commitMessage": "Answers in one sentence",
    "comment": "Right, and short.",
    "content": "Answer in one sentence: {{question}}",
    "contentType": "image/png",
    "createdBy": "API",
    "cursor": "eyJ2IjoxfQ",
    "dataType": "NUMERIC",
    "date": "2026-05-04",
    "description": "Questions of our customers",
    "displaySecretKey": "sk-lf-...9f3a",
    "email": "ada@example.org",
    "environment": "production",
    "feedback": "The page of filters lacks an example.",
    "htmlPath": "/project/p-1/traces/trace-1",
    "id": "id-1",
    "inputPrice": "0.00000125",
    "input": "What is a heliograph?",
    "level": "DEFAULT",
    "matchPattern": "(?i)^gpt-5$",
    "message": "Done",
    "model": "gpt-5",
    "modelName": "gpt-5",
    "name": "answer",
    "observationId": "observation-1",
    "outputPrice": "0.00001",
    "output": "A device that signals by sunlight.",
    "parentObservationId": "observation-0",
    "prompt": "Answer in one sentence: {{question}}",
    "promptName": "answer",
    "provider": "openai",
    "providedModelName": "gpt-5",
    "projectId": "project-1",
    "publicKey": "pk-lf-1f0c",
    "query": "SELECT name, count() FROM traces GROUP BY name",
    "region": "eu-central-1",
    "release": "2026.5",
    "secretKey": "sk-lf-9f3a",
    "sessionId": "session-1",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256Hash": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
    "source": "API",
    "statusMessage": "The provider took too long",
    "stringValue": "good",
    "tags": "support",
    "totalPrice": "0.00001",
    "traceId": "trace-1",
    "traceName": "answer",
    "type": "GENERATION",
    "unit": "TOKENS",
    "usagePricingTierName": "Standard",
    "url": "https://files.example.org/file",
    "uploadUrl": "https://files.example.org/file",
    "userId": "user-7",
    "userName": "ada@example.org",
    "version": "2",
}
_NUMBERS = {
    "limit": 50,
    "page": 1,
    "totalItems": 1,
    "totalPages": 1,
    "latency": 1.25,
    "totalCost": 0.0021,
    "value": 0.9,
}


class Examples:
    """Examples of schemas that refer to those of one document.

    Args:
        schemas: the document's, by their names.
    """

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas

    def of(self, schema: Mapping[str, Any], name: str = "", *, depth: int = 0) -> Any:
        """A value that keeps to a schema; what may be left out stays out of values that are deeply nested."""
        if reference := schema.get("$ref"):
            return self.of(self._schemas[reference.removeprefix(_REFERENCE)], name, depth=depth)
        given = (schema.get("const"), schema.get("default"), *schema.get("examples", ()), *schema.get("enum", ()))
        if chosen := next(filter(None, given), None):
            return chosen
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._first(schema[keyword], name, depth=depth)
        return self._typed(schema, name, depth=depth)

    def _first(self, choices: list[Mapping[str, Any]], name: str, *, depth: int) -> Any:
        """Of the first choice that is something; of values that are deeply nested null will do."""
        something = [each for each in choices if each.get("type") != "null"]
        if depth > _MAX_DEPTH and len(something) < len(choices):
            return None
        return self.of(something[0], name, depth=depth)

    def _typed(self, schema: Mapping[str, Any], name: str, *, depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, depth=depth)
            case "array":
                return self._array(schema, name, depth=depth)
            case "string" if schema.get("format") == "date-time":
                return _MOMENT
            case "integer" | "number" as kind:
                number = _NUMBERS.get(name, schema.get("minimum", 1))
                return math.ceil(number) if kind == "integer" else number
            case kind:
                return {"boolean": True, "null": None}.get(str(kind), _TEXTS.get(name, name or "text"))

    def _object(self, schema: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
        fields = schema.get("properties", {})
        required = set(schema.get("required", ()))
        shown = {
            name: self.of(field, name, depth=depth + 1)
            for name, field in fields.items()
            if name in required or depth < _MAX_DEPTH
        }
        others = schema.get("additionalProperties")
        if not fields and isinstance(others, Mapping):
            return {"input": self.of(others, depth=depth + 1)}
        return shown

    def _array(self, schema: Mapping[str, Any], name: str, *, depth: int) -> list[Any]:
        if places := schema.get("prefixItems"):
            return [self.of(each, name, depth=depth + 1) for each in places]
        if depth > _MAX_DEPTH and not schema.get("minItems"):
            return []
        return [self.of(schema.get("items", {}), name, depth=depth + 1)] * max(1, schema.get("minItems", 1))
