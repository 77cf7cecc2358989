"""The demo: a week of realistic traffic of four applications, sent through the real Langfuse SDK."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from langfuse import Langfuse
from langfuse.api import UnauthorizedError
from langfuse.api.core import ApiError

from heliograph.domain.errors import KeyUnknown, Unavailable
from operations.demonstration import catalogue, handbook, support
from operations.demonstration.stage import Login, Stage, Visit

SEED = 20
# Planned; a tenth of the conversations end before all their turns are used up.
TRACES = 330
DAYS = 7
# The SDK's exporter drops spans beyond 2,048 waiting ones; a visit has some dozens.
VISITS_PER_FLUSH = 12

Play = Callable[[Stage, Visit], None]
Progress = Callable[[str, int, int], None]

RETRY_AFTER_SECONDS = 5.0

# How an application plays, its share of the visits, and how many traces a visit has.
APPLICATIONS: dict[str, tuple[Play, float, tuple[int, int]]] = {
    "support": (support.play, 0.4, (1, 4)),
    "handbook": (handbook.play, 0.28, (1, 3)),
    "product-texts": (catalogue.write_texts, 0.16, (1, 3)),
    "mail": (catalogue.sort_mail, 0.16, (2, 6)),
}
RELEASES = ("2026.11-1.8.2", "2026.11-1.9.0", "2026.11-1.9.1")
CUSTOMERS = tuple(f"customer-{number:04}" for number in range(1, 61))
STAFF = ("aino", "bruno", "chidi", "dagny", "emre", "farah", "goran", "hild")


def run(url: str, public_key: str, secret_key: str, *, progress: Progress, ends_at: datetime | None = None) -> None:
    """Send about 300 traces of the seven days before `ends_at`, which is now by default.

    The same ids come out of every run: a second one replaces the traces of the first.

    Raises:
        KeyUnknown: The keys are not those of a project there.
        Unavailable: Nothing answers there, or not as it should.
    """
    chance = random.Random(SEED)  # noqa: S311 - made-up traffic
    stage = Stage(Login(url, public_key, secret_key), chance)
    client = stage.client(RELEASES[-1])
    _check_access(client, url)
    visits = plan(chance, ends_at or datetime.now(UTC))
    total = sum(visit.turns for visit in visits)
    sent = 0
    for number, visit in enumerate(visits, start=1):
        stage.enter(visit)
        APPLICATIONS[visit.application][0](stage, visit)
        sent += visit.turns
        if number % VISITS_PER_FLUSH == 0:
            client.flush()
            progress("traces", sent, total)
    client.flush()
    progress("traces", total, total)


def _check_access(client: Langfuse, url: str) -> None:
    """The SDK only logs what goes wrong while it sends."""
    try:
        client.auth_check()
    except UnauthorizedError as refused:
        raise KeyUnknown from refused
    except (ApiError, httpx.TransportError) as failed:
        raise Unavailable(url, RETRY_AFTER_SECONDS) from failed


def plan(chance: random.Random, ends_at: datetime) -> list[Visit]:
    """The visits of the week in their order: mostly in working hours, and growing from day to day."""
    visits: list[Visit] = []
    while sum(visit.turns for visit in visits) < TRACES:
        visits.append(_visit(chance, len(visits), ends_at))
    return sorted(visits, key=lambda visit: visit.at)


def _visit(chance: random.Random, number: int, ends_at: datetime) -> Visit:
    at = _moment(chance, ends_at)
    application = chance.choices(list(APPLICATIONS), [share for _, share, _ in APPLICATIONS.values()])[0]
    interactive = application in {"support", "handbook"}
    environment = chance.choices(["production", "staging"], [5, 1])[0]
    return Visit(
        at=at,
        application=application,
        user_id=chance.choice(CUSTOMERS if application == "support" else STAFF),
        session_id=f"{application}-{number:04}" if interactive else "",
        environment=environment,
        release=RELEASES[-1] if environment == "staging" else _release_of(ends_at - at),
        turns=chance.randint(*APPLICATIONS[application][2]),
    )


def _moment(chance: random.Random, ends_at: datetime) -> datetime:
    midnight = ends_at.replace(hour=0, minute=0, second=0, microsecond=0)
    while True:
        age = chance.choices(range(DAYS), range(10, 10 - DAYS, -1))[0]
        at = midnight - timedelta(days=age) + timedelta(hours=chance.triangular(0, 24, 13))
        # A conversation needs some minutes; nothing may end in the future.
        if at < ends_at - timedelta(minutes=15):
            return at


def _release_of(age: timedelta) -> str:
    """What ran in production so long ago."""
    oldest, newer, newest = RELEASES
    if age > timedelta(days=4):
        return oldest
    return newer if age > timedelta(days=1.5) else newest
