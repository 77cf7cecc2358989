"""Who may use the routes of scores and annotation: whoever has a project's key pair, and nobody else."""

import httpx

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


async def test_only_a_key_pair_of_the_project_opens_a_route(api: Api) -> None:
    async def status(method: str, route: str, *pair: str, **headers: str) -> int:
        auth = httpx.BasicAuth(*pair) if pair else httpx.Auth()
        return (await api.client.request(method, route, auth=auth, headers=headers)).status_code

    for asked in ROUTES:
        assert await status(*asked, "pk-lf-1", "wrong") == 401, asked
        assert await status(*asked, "pk-lf-unknown", SECRET) == 401, asked
        assert await status(*asked, ORGANIZATION_KEY, SECRET) == 403, asked
        assert await status(*asked, authorization="Bearer pk-lf-1") == 403, asked
        assert await status(*asked) == 401, asked
