"""The identifiers of the domain, each a type of its own so that none can be passed for another."""

from typing import NewType

OrganizationId = NewType("OrganizationId", str)
ProjectId = NewType("ProjectId", str)
UserId = NewType("UserId", str)
ApiKeyId = NewType("ApiKeyId", str)
TraceId = NewType("TraceId", str)
ObservationId = NewType("ObservationId", str)
SessionId = NewType("SessionId", str)
ScoreId = NewType("ScoreId", str)
LaneNumber = NewType("LaneNumber", int)
