"""What can stand in the way of starting or operating the stack, and what to do about it."""

from heliograph.domain.errors import HeliographError


class PortInUse(HeliographError):
    """Port {port}, wanted for {purpose}, is in use by {owner}: stop that, or choose another first port with
    HELIOGRAPH_PORT."""

    fields = ("port", "purpose", "owner")
    port: int
    purpose: str
    owner: str


class DiskFull(HeliographError):
    """Only {free_mb} MB are free on the disk of {path}, {wanted_mb} MB are needed: free some space, or choose another
    directory with HELIOGRAPH_DATA_DIR."""

    fields = ("free_mb", "path", "wanted_mb")
    free_mb: int
    path: str
    wanted_mb: int


class StackNotRunning(HeliographError):
    """Nothing runs on {path}: start it with `heliograph up`, or name another directory with HELIOGRAPH_DATA_DIR."""

    fields = ("path",)
    path: str


class StackFailed(HeliographError):
    """The stack did not start: {reason} More is in {log}."""

    fields = ("reason", "log")
    reason: str
    log: str


class StepFailed(HeliographError):
    """{step} failed: {reason}"""

    fields = ("step", "reason")
    step: str
    reason: str


class LogUnknown(HeliographError):
    """There is no log of {part!r}; there are: {known}."""

    fields = ("part", "known")
    part: str
    known: str


class PriceSourceUnavailable(HeliographError):
    """The price list cannot be fetched ({requirement}): {reason}"""

    fields = ("requirement", "reason")
    requirement: str
    reason: str


class EngineNotShared(HeliographError):
    """{variable} is not set: on a cluster every node needs the same stores, so each must be given by its address."""

    fields = ("variable",)
    variable: str


class SecretNotGiven(HeliographError):
    """{variable} is not set: a generated one would be lost with this machine, and keys and sessions with it."""

    fields = ("variable",)
    variable: str


class ProjectNotNamed(HeliographError):
    """There are several projects: say which one with --project NAME."""


class DeletionPending(HeliographError):
    """Deletion {deletion_id} is durable, but after {seconds} s not every lane has carried it out: they will as soon
    as they can, and `heliograph deletions` shows when they have."""

    fields = ("deletion_id", "seconds")
    deletion_id: str
    seconds: float
