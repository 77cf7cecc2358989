"""Who may use the routes of scores and annotation: whoever has a project's key pair, and nobody else."""

import pytest

from tests.integration.api.conftest import ORGANIZATION_KEY, SECRET, Api

ROUTES = [
    ("GET", "/scores"),
    ("GET", "/scores/s"),
    ("GET", "/v2/scores"),
    ("GET", "/v2/scores/s"),
    ("GET", "/v3/scores"),
    ("DELETE", "/scores/s"),
    ("GET", "/score-configs"),
    ("POST", "/score-configs"),
    ("GET", "/score-configs/c"),
    ("PATCH", "/score-configs/c"),
    ("GET", "/annotation-queues"),
    ("POST", "/annotation-queues"),
    ("GET", "/annotation-queues/q"),
    ("GET", "/annotation-queues/q/items"),
    ("POST", "/annotation-queues/q/items"),
    ("GET", "/annotation-queues/q/items/i"),
    ("PATCH", "/annotation-queues/q/items/i"),
    ("DELETE", "/annotation-queues/q/items/i"),
    ("POST", "/annotation-queues/q/assignments"),
    ("DELETE", "/annotation-queues/q/assignments"),
    ("GET", "/comments"),
    ("POST", "/comments"),
    ("GET", "/comments/c"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES)
async def test_only_a_key_pair_of_the_project_opens_a_route(api: Api, method: str, route: str) -> None:
    async def status(public_key: str, secret: str) -> int:
        return (await api.client.request(method, route, auth=(public_key, secret))).status_code

    assert await status("pk-lf-1", "wrong") == 401
    assert await status("pk-lf-unknown", SECRET) == 401
    assert await status(ORGANIZATION_KEY, SECRET) == 403
    headers = {"authorization": "Bearer pk-lf-1"}
    alone = await api.client.request(method, route, headers=headers, auth=lambda request: request)
    assert alone.status_code == 403
    missing = await api.client.request(method, route, auth=lambda request: request)
    assert missing.status_code == 401
