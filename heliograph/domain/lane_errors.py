"""The errors of lanes: their log, their owners, and the map that leads to them."""

from heliograph.domain.errors import HeliographError


class LaneFenced(HeliographError):
    """Lane {lane} has a newer owner than epoch {epoch}: this one has stopped."""

    fields = ("lane", "epoch")
    lane: int
    epoch: int


class SegmentMissing(HeliographError):
    """Segment {segment} of lane {lane} is neither in the log nor in the archive: `heliograph doctor --log` tells what
    is missing."""

    fields = ("lane", "segment")
    lane: int
    segment: int


class CompactionRunning(HeliographError):
    """The log of lane {lane} is being compacted already: try again when that has ended."""

    fields = ("lane",)
    lane: int


class WrongLane(HeliographError):
    """Lane {lane} no longer takes these traces under version {map_version} of the lane map."""

    fields = ("lane", "map_version")
    lane: int
    map_version: int


class MapNotPending(HeliographError):
    """Version {map_version} of the lane map is not pending: it was published or given up."""

    fields = ("map_version",)
    map_version: int


class ReshardingRunning(HeliographError):
    """Another process is changing the lane map: wait until it has ended."""


class ReshardingFailed(HeliographError):
    """The lanes are as they were before, since the change failed: {reason}"""

    fields = ("reason",)
    reason: str


class ReplayRunning(HeliographError):
    """Another replay of project {project_id} is running: wait for it to end."""

    fields = ("project_id",)
    project_id: str


class BackfillRunning(HeliographError):
    """Another {kind} of project {project_id} is running: wait for it to end."""

    fields = ("kind", "project_id")
    kind: str
    project_id: str


class LaneMapMissing(HeliographError):
    """PostgreSQL holds no lane map: run `heliograph migrate upgrade`."""
