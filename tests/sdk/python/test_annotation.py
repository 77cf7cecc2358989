"""Annotation queues, their items and assignments, and comments."""

import os
from typing import Any

import httpx
import pytest


def queue_of(api: Any, name: str) -> Any:
    """A new queue, or where queues are made by hand, as in the second version, none."""
    config = api("score_configs.create", name=name, data_type="BOOLEAN")
    return api("annotation_queues.create_queue", name=name, description="to judge", score_config_ids=[config.id])


@pytest.mark.needs("annotation_queues.create_queue")
def test_queues_are_created_read_and_listed(api: Any, name: str) -> None:
    queue = queue_of(api, name)

    read = api("annotation_queues.get_queue", queue_id=queue.id)
    assert (read.name, read.description, read.score_config_ids) == (name, "to judge", queue.score_config_ids)
    assert queue.id in [each.id for each in api("annotation_queues.list_queues", limit=100).data]


@pytest.mark.needs("annotation_queues.create_queue")
def test_items_are_added_completed_and_removed(api: Any, name: str) -> None:
    queue = queue_of(api, name)
    at = {"queue_id": queue.id}

    item = api("annotation_queues.create_queue_item", object_id=f"t-{name}", object_type="TRACE", **at)

    assert (item.queue_id, item.object_id, item.object_type, item.status) == (queue.id, f"t-{name}", "TRACE", "PENDING")
    assert api("annotation_queues.get_queue_item", item_id=item.id, **at).status == "PENDING"
    done = api("annotation_queues.update_queue_item", item_id=item.id, status="COMPLETED", **at)
    assert (done.status, done.completed_at is not None) == ("COMPLETED", True)
    assert [each.id for each in api("annotation_queues.list_queue_items", status="COMPLETED", **at).data] == [item.id]
    assert api("annotation_queues.list_queue_items", status="PENDING", **at).data == []
    assert api("annotation_queues.delete_queue_item", item_id=item.id, **at).success
    assert api("annotation_queues.list_queue_items", **at).data == []


@pytest.mark.needs("annotation_queues.create_queue_assignment")
def test_a_member_is_assigned_and_no_longer(api: Any, name: str) -> None:
    queue, user_id = queue_of(api, name), os.environ["USER_ID"]

    made = api("annotation_queues.create_queue_assignment", queue_id=queue.id, user_id=user_id)

    assert (made.user_id, made.queue_id, made.project_id) == (user_id, queue.id, api("projects.get").data[0].id)
    assert api("annotation_queues.delete_queue_assignment", queue_id=queue.id, user_id=user_id).success


@pytest.mark.majors(2)
def test_queues_that_others_made_are_worked_on(api: Any, name: str, queue_by_hand: str) -> None:
    at = {"queue_id": queue_by_hand}
    assert api("annotation_queues.get_queue", **at).id == queue_by_hand
    assert queue_by_hand in [each.id for each in api("annotation_queues.list_queues", limit=100).data]
    item = api("annotation_queues.create_queue_item", object_id=f"t-{name}", object_type="TRACE", **at)
    assert api("annotation_queues.get_queue_item", item_id=item.id, **at).object_id == f"t-{name}"
    assert api("annotation_queues.update_queue_item", item_id=item.id, status="COMPLETED", **at).status == "COMPLETED"
    assert item.id in [each.id for each in api("annotation_queues.list_queue_items", status="COMPLETED", **at).data]
    assert api("annotation_queues.delete_queue_item", item_id=item.id, **at).success


def test_comments_are_written_read_and_listed(api: Any, name: str, project_id: str, eventually: Any) -> None:
    api("prompts.create", type="text", name=name, prompt="x", labels=[])
    prompt_id = prompt_of(api, name)
    about = (
        {"object_type": "PROMPT", "object_id": prompt_id} if prompt_id else {"object_type": "TRACE", "object_id": name}
    )
    made = api("comments.create", project_id=project_id, content="well said", **about)

    read = api("comments.get_by_id", comment_id=made.id)

    assert (read.content, read.object_type, read.object_id) == ("well said", about["object_type"], about["object_id"])
    listed = api("comments.get", **about)
    assert ([each.id for each in listed.data], listed.meta.total_items) == ([made.id], 1)


def prompt_of(api: Any, name: str) -> str | None:
    """The id of a prompt, where the version shows it."""
    return getattr(api("prompts.get", prompt_name=name, version=1), "id", None)


@pytest.fixture
def queue_by_hand(api: Any, name: str) -> str:
    """A queue that another client has made."""
    config = api("score_configs.create", name=name, data_type="BOOLEAN")
    keys = os.environ["LANGFUSE_PUBLIC_KEY"], os.environ["LANGFUSE_SECRET_KEY"]
    body = {"name": name, "scoreConfigIds": [config.id]}
    made = httpx.post(f"{os.environ['LANGFUSE_HOST']}/api/public/annotation-queues", json=body, auth=keys)
    return made.raise_for_status().json()["id"]
