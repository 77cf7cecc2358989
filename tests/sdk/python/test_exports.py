"""Integrations with the blob storage of an organization, and feedback."""

from typing import Any

import pytest


@pytest.mark.needs("blob_storage_integrations.upsert_blob_storage_integration")
def test_an_integration_is_kept_listed_and_deleted(organization: Any, project_id: str) -> None:
    upsert = "blob_storage_integrations.upsert_blob_storage_integration"
    body = {
        "project_id": project_id, "type": "S3_COMPATIBLE", "bucket_name": "warehouse", "region": "auto",
        "endpoint": "https://store.example.org", "access_key_id": "AKIA1", "secret_access_key": "very secret",
        "prefix": "h/", "export_frequency": "hourly", "enabled": True, "force_path_style": True, "file_type": "JSONL",
        "export_mode": "FROM_TODAY",
    }  # fmt: skip

    made = organization(upsert, **body)

    assert (made.project_id, made.bucket_name, made.prefix, made.access_key_id) == (
        project_id, "warehouse", "h/", "AKIA1",
    )  # fmt: skip
    assert organization(upsert, **{**body, "export_frequency": "daily"}).export_frequency == "daily"
    listed = organization("blob_storage_integrations.get_blob_storage_integrations").data
    assert [(each.id, each.file_type) for each in listed if each.project_id == project_id] == [(made.id, "JSONL")]
    if organization.has("blob_storage_integrations.get_blob_storage_integration_status"):
        status = organization("blob_storage_integrations.get_blob_storage_integration_status", id=made.id)
        assert (status.id, status.enabled) == (made.id, True)
    assert organization("blob_storage_integrations.delete_blob_storage_integration", id=made.id).message
    left = organization("blob_storage_integrations.get_blob_storage_integrations").data
    assert made.id not in [each.id for each in left]


@pytest.mark.needs("feedback.submit")
def test_feedback_is_taken(api: Any) -> None:
    assert api("feedback.submit", target_type="public-api", target="GET /traces", feedback="fast").id
