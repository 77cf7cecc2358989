"""Models with prices, and connections to their providers."""

from typing import Any

import pytest


def test_a_model_is_created_read_listed_and_deleted(api: Any, name: str) -> None:
    made = api(
        "models.create", model_name=name, match_pattern=f"(?i)^{name}$", unit="TOKENS", input_price=0.25,
        output_price=0.5,
    )  # fmt: skip

    read = api("models.get", id=made.id)
    assert (read.model_name, read.match_pattern, read.is_langfuse_managed) == (name, f"(?i)^{name}$", False)
    assert (read.input_price, read.output_price) == (0.25, 0.5)
    pages = api("models.list", limit=100).meta.total_pages
    assert made.id in [
        each.id for page in range(1, pages + 1) for each in api("models.list", page=page, limit=100).data
    ]

    api("models.delete", id=made.id)
    with pytest.raises(Exception, match="404"):
        api("models.get", id=made.id)


@pytest.mark.needs("models.upsert")
def test_a_model_is_put_under_an_id_and_replaced(api: Any, name: str) -> None:
    body = {"id": f"id-{name}", "model_name": name, "match_pattern": f"^{name}$", "unit": "TOKENS"}

    made = api("models.upsert", **body, input_price=0.25)
    replaced = api("models.upsert", **body, total_price=0.5)

    assert (made.id, made.input_price) == (f"id-{name}", 0.25)
    read = api("models.get", id=made.id)
    assert (read.input_price, read.total_price, read.created_at) == (None, 0.5, made.created_at)
    assert replaced == read


@pytest.mark.needs("llm_connections.upsert")
def test_a_connection_is_kept_and_never_shows_its_secret(api: Any, name: str) -> None:
    body = {"provider": name, "adapter": "openai", "secret_key": "sk-very-secret", "custom_models": ["m1"]}
    made = api("llm_connections.upsert", **body, extra_headers={"X-Team": "red"})

    assert (made.provider, made.adapter, made.custom_models) == (name, "openai", ["m1"])
    assert (made.extra_header_keys, made.with_default_models) == (["X-Team"], True)
    assert "very" not in made.display_secret_key
    assert made.id in [each.id for each in api("llm_connections.list", limit=100).data]
    changed = api("llm_connections.upsert", **{**body, "custom_models": ["m2"]})
    assert (changed.id, changed.custom_models) == (made.id, ["m2"])
    if api.has("llm_connections.delete"):
        assert api("llm_connections.delete", id=made.id).message
        assert made.id not in [each.id for each in api("llm_connections.list", limit=100).data]
