"""Changes and shows the lane map, in a process of its own: Ray needs the cluster's environment when it is imported."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import ray

from actors import directory
from heliograph import telemetry
from heliograph.domain.errors import HeliographError, InvalidRequest
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.settings import Settings
from operations.projects import project_id_of
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry

Change = Callable[[LaneMap], LaneMap]


class Request(NamedTuple):
    """What the command asks for: `list`, `add`, `dedicate` or `share`."""

    verb: str
    added: int = 0
    shared: bool = False
    project: str = ""
    lanes: tuple[int, ...] = ()

    def to_json(self) -> str:
        """As one argument of a process."""
        return json.dumps(self._asdict())


class Shown(NamedTuple):
    """A lane as the command shows it."""

    lane: int
    projects: str
    status: dict[str, Any]


def dedicated(project_id: ProjectId, lanes: tuple[int, ...]) -> Change:
    """The change that gives a project lanes of its own; raises InvalidRequest when applied to a map without them."""

    def change(now: LaneMap) -> LaneMap:
        if not lanes or len(set(lanes)) < len(lanes) or not set(lanes) <= set(now.lanes):
            raise InvalidRequest("lanes", f"give different ones from 0 to {now.count - 1}")
        return now.with_dedicated(project_id, [LaneNumber(lane) for lane in lanes])

    return change


async def carry_out(settings: Settings, request: Request) -> LaneMap:
    """Change the map as asked.

    Raises:
        ProjectNotFound, InvalidRequest: there is no such project or lane.
        ReshardingRunning, ReshardingFailed: nothing has changed.
    """
    change = await _change(settings, request)
    async with directory.resharding(settings) as resharding:
        return await resharding.change(change)


async def shown(settings: Settings) -> list[Shown]:
    """Every lane with whom it serves, and its status when it answers."""
    database = Database(settings.postgres_dsn)
    try:
        lane_map = await LaneRegistry(database).lane_map()
    finally:
        await database.close()
    statuses = {status["lane"]: status for status in await directory.lane_statuses(settings)}
    return [Shown(int(lane), _projects_of(lane_map, lane), statuses.get(int(lane), {})) for lane in lane_map.lanes]


async def _change(settings: Settings, request: Request) -> Change:
    if request.verb == "add":
        return lambda now: now.with_lanes_added(request.added, shared=request.shared)
    project_id = await project_id_of(settings, request.project)
    if request.verb == "share":
        return lambda now: now.with_shared(project_id)
    return dedicated(project_id, request.lanes)


def _projects_of(lane_map: LaneMap, lane: LaneNumber) -> str:
    own = [project_id for project_id, lanes in lane_map.dedicated.items() if lane in lanes]
    return ", ".join([*(["quiet projects"] if lane in lane_map.pool else []), *sorted(own)])


async def _run(settings: Settings, request: Request) -> str:
    if request.verb != "list":
        await carry_out(settings, request)
    return json.dumps([one._asdict() for one in await shown(settings)])


def main() -> None:
    """Answer one request, given as JSON, with the lanes as JSON."""
    settings = Settings()
    telemetry.configure_logs("WARNING")
    wanted = json.loads(sys.argv[1])
    request = Request(**{**wanted, "lanes": tuple(wanted["lanes"])})
    ray.init(address=settings.ray_address, log_to_driver=False)
    try:
        sys.stdout.write(asyncio.run(_run(settings, request)))
    except HeliographError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
