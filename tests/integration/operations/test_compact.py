"""`heliograph compact` on the real stores."""

import asyncio
import re
from collections.abc import Callable

from typer.testing import Result

from tests.integration.pipelines.lane_logs import LaneLog


async def test_a_lane_is_archived_and_freed_on_command(lane: LaneLog, heliograph: Callable[..., Result]) -> None:
    for entity in "abc":
        lane.append(entity)
    await lane.flush()

    result = await asyncio.to_thread(heliograph, "compact", "--lane", lane.lane, "--free-after", 0)

    assert result.exit_code == 0, result.output
    # Segments, records, files, omitted, damaged, freed: the last segment of the open epoch stays.
    assert re.search(rf"{lane.lane} +3 +3 +1 +0 +0 +2 ", result.output), result.output
    assert [entity for *_, entity in lane.archived()] == ["a", "b", "c"]
