"""What is told about requests to providers: how calls ended, and the state of a limiter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallCounts:
    """How calls ended that had a slot each: answered, refused for being too many, failed otherwise, or never made."""

    answered: int = 0
    refused: int = 0
    failed: int = 0
    unused: int = 0
    # Seconds that the provider asked to wait, the longest.
    retry_after: float = 0.0

    def __add__(self, other: "CallCounts") -> "CallCounts":
        return CallCounts(
            self.answered + other.answered,
            self.refused + other.refused,
            self.failed + other.failed,
            self.unused + other.unused,
            max(self.retry_after, other.retry_after),
        )

    @property
    def total(self) -> int:
        """How many slots they give back."""
        return self.answered + self.refused + self.failed + self.unused


@dataclass(frozen=True, slots=True)
class PacingStatus:
    """A limiter as it is shown: requests a second that it allows and that were answered lately.

    Attributes:
        is_steady: the provider's limit was met, and is kept since.
        paused_seconds: for how long nobody may ask, because the provider said so.
        waiting: how many slots are asked for and not granted.
    """

    name: str
    allowed_per_second: float
    answered_per_second: float
    refused_share: float
    is_steady: bool
    in_flight: int
    waiting: int
    holders: int
    paused_seconds: float
    answered: int
    refused: int
    failed: int
