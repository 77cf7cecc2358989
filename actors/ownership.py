"""Which subjects a lane takes: its own under the map in force, and no longer those that a pending map takes from it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.events import RecordKind
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneChange, LaneMap


class Ownership:
    """The lane maps as one lane sees them."""

    def __init__(self, lane: LaneNumber) -> None:
        self._lane = lane
        self.in_force = LaneMap(0, 1)
        self.pending: LaneMap | None = None

    @property
    def _is_unheard_of(self) -> bool:
        """A lane newer than the map in force: nothing can have left it, and only a newer map leads to it."""
        return self._lane >= self.in_force.count

    def takes(self, project_id: str, records: pa.Table, map_version: int) -> bool:
        """Whether the lane takes these records of a sender that knows a version of the map."""
        if self.pending is None and map_version == self.in_force.version:
            return True
        if pc.all(pc.equal(records["kind"], RecordKind.EVENT.value)).as_py():
            return self._takes_events(ProjectId(project_id), records)
        # A tombstone goes to all lanes that ever had its project, and that which owns a row deletes it: sender and
        # lanes must be of one mind which that is.
        is_moving = self.pending is not None and LaneChange(self.in_force, self.pending).moves(ProjectId(project_id))
        return map_version == self.in_force.version and not is_moving

    def _takes_events(self, project: ProjectId, records: pa.Table) -> bool:
        if self.pending is None and self._is_unheard_of:
            return True
        maps = (self.in_force,) if self.pending is None else (self.in_force, self.pending)
        if all(lane_map.lanes_of(project) == (self._lane,) for lane_map in maps):
            return True
        subjects: Sequence[str] = records["subject"].to_pylist()
        return all(lane_map.owns(self._lane, project, subjects) for lane_map in maps)

    def without_moved(self, records: pa.Table) -> pa.Table:
        """The records with the events of other lanes' subjects made `moved`: they keep their place and give no rows.

        What has moved was flushed before, and from then on another lane writes the rows of these subjects.
        """
        projects = records["project_id"].to_pylist()
        if self._is_unheard_of or all(
            self.in_force.lanes_of(ProjectId(project_id)) == (self._lane,) for project_id in set(projects)
        ):
            return records
        is_ours = np.array(
            [
                self.in_force.lane_of(ProjectId(project_id), subject) == self._lane
                for project_id, subject in zip(projects, records["subject"].to_pylist(), strict=True)
            ],
            dtype=bool,
        )
        kinds = records["kind"].to_numpy(zero_copy_only=False)
        kinds = np.where(~is_ours & (kinds == RecordKind.EVENT.value), RecordKind.MOVED.value, kinds)
        index = records.schema.get_field_index("kind")
        return records.set_column(index, records.schema.field(index), pa.array(kinds, records.schema.field(index).type))
