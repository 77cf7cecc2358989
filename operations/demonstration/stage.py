"""Where the demo plays: the unmodified Langfuse SDK, with a clock that is set back to the past days."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from langfuse import Langfuse, LangfuseSpan, propagate_attributes
from opentelemetry import trace as opentelemetry
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator

from operations.demonstration.models import EMBEDDER, Model, own_cost, token_count, usage_of

NANOSECONDS = 1_000_000_000

# Schemas of tools and worked examples: an application sends them with every call, and its integration leaves them out.
UNLOGGED_TOKENS = 3_400

Message = dict[str, Any]


class Clock:
    """The time of the demo."""

    def __init__(self) -> None:
        self.nanoseconds = 0

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.nanoseconds / NANOSECONDS, UTC)

    def move_to(self, at: datetime) -> None:
        self.nanoseconds = int(at.timestamp() * NANOSECONDS)

    def advance(self, seconds: float) -> None:
        self.nanoseconds += int(seconds * NANOSECONDS)


# The SDK keeps one tracer per public key for the life of the process, so the clock it reads must outlive a run.
CLOCK = Clock()


class _BackdatedTracer(opentelemetry.Tracer):
    """Starts every span at the time of the demo."""

    def __init__(self, tracer: opentelemetry.Tracer, clock: Clock) -> None:
        self._tracer = tracer
        self._clock = clock

    def start_span(self, name: str, *arguments: Any, **options: Any) -> opentelemetry.Span:
        options["start_time"] = self._clock.nanoseconds
        return self._tracer.start_span(name, *arguments, **options)

    @contextmanager
    def start_as_current_span(  # type: ignore[override] # a plain context manager is enough here
        self, name: str, *arguments: Any, **options: Any
    ) -> Iterator[opentelemetry.Span]:
        end_on_exit = options.pop("end_on_exit", True)
        span = self.start_span(name, *arguments, **options)
        with opentelemetry.use_span(span, end_on_exit=end_on_exit):
            yield span


class _BackdatedProvider(TracerProvider):
    """The tracer provider handed to the SDK, which takes one as a public argument."""

    def __init__(self, clock: Clock, ids: IdGenerator) -> None:
        super().__init__(resource=Resource({"service.name": "lumen-outdoor-assistants"}), id_generator=ids)
        self._clock = clock

    def get_tracer(self, *arguments: Any, **options: Any) -> opentelemetry.Tracer:
        return _BackdatedTracer(super().get_tracer(*arguments, **options), self._clock)


class _SeededIds(IdGenerator):
    """The same ids in every run, so that a second demo replaces the first."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def generate_span_id(self) -> int:
        return self._chance.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return self._chance.getrandbits(128) or 1

    def is_trace_id_random(self) -> bool:
        return True


@dataclass(frozen=True)
class Visit:
    """One user's time with one application: the trace-level attributes of everything that happens in it."""

    at: datetime
    application: str
    user_id: str
    session_id: str
    environment: str
    release: str
    turns: int


@dataclass
class Login:
    """Where the demo's traffic goes."""

    url: str
    public_key: str
    secret_key: str = field(repr=False)


class Stage:
    """What an application of the demo does its work with."""

    def __init__(self, login: Login, chance: random.Random, clock: Clock = CLOCK) -> None:
        self.chance = chance
        self.clock = clock
        self._login = login
        self._provider = _BackdatedProvider(clock, _SeededIds(random.Random(chance.random())))  # noqa: S311 - ids of a demo
        self._clients: dict[str, Langfuse] = {}
        self._visit: Visit | None = None
        self._score_count = 0

    def client(self, release: str) -> Langfuse:
        """The SDK as a release of an application sets it up; all of them share one exporter."""
        if release not in self._clients:
            self._clients[release] = Langfuse(
                base_url=self._login.url,
                public_key=self._login.public_key,
                secret_key=self._login.secret_key,
                release=release,
                tracer_provider=self._provider,
                timeout=20,
            )
        return self._clients[release]

    def enter(self, visit: Visit) -> None:
        """Turn the clock to the visit, and attribute what follows to it."""
        self._visit = visit
        self.clock.move_to(visit.at)

    @contextmanager
    def trace(
        self,
        name: str,
        question: Any,
        *,
        tags: list[str],
        metadata: dict[str, Any],
        prompt: dict[str, Any] | None = None,
    ) -> Iterator[LangfuseSpan]:
        """One trace; its root observation is an agent when the name says so."""
        visit = self._here
        attributes = propagate_attributes(
            user_id=visit.user_id,
            session_id=visit.session_id or None,
            environment=visit.environment,
            version=visit.release.split("-")[-1],
            trace_name=name,
            tags=tags,
            metadata=metadata,
            prompt=prompt,
        )
        with attributes, self.observe("agent" if name.endswith("agent") else "span", name, input=question) as root:
            yield root

    @contextmanager
    def observe(self, kind: str, name: str, **fields: Any) -> Iterator[LangfuseSpan]:
        """An observation that ends at the demo's time. The SDK's overloads want a literal kind, hence Any."""
        start: Any = self.client(self._here.release).start_as_current_observation
        with start(name=name, as_type=kind, end_on_exit=False, **fields) as observation:
            yield observation
            observation.end(end_time=self.clock.nanoseconds)

    def step(self, kind: str, name: str, *, seconds: float, **fields: Any) -> None:
        """An observation without children that takes about so many seconds."""
        with self.observe(kind, name, **fields):
            self.work(seconds)

    def work(self, seconds: float) -> None:
        """Let time pass: about so many seconds, and sometimes much more."""
        self.clock.advance(seconds * self.chance.lognormvariate(0, 0.35))

    def generate(
        self, name: str, model: Model, messages: list[Message], *, answer: Any, cached: int = 0, streamed: bool = False
    ) -> Any:
        """A call of a language model that succeeds; a streamed one records when its first token came."""
        tokens = token_count(str(answer))
        fresh = UNLOGGED_TOKENS + sum(token_count(str(message["content"])) for message in messages)
        usage = usage_of(model, fresh=fresh, cached=cached, output=tokens)
        fields: dict[str, Any] = {"model": model.name, "model_parameters": model.parameters, "input": messages}
        with self.observe("generation", name, **fields) as generation:
            self.work(model.seconds_to_first_token)
            if streamed:
                generation.update(completion_start_time=self.clock.now)
            self.work(tokens / model.tokens_per_second)
            generation.update(output=answer, usage_details=usage, cost_details=own_cost(model, usage))
        return answer

    def refuse(self, name: str, model: Model, messages: list[Message], *, reason: str, seconds: float) -> None:
        """A call of a language model that fails."""
        fields: dict[str, Any] = {"model": model.name, "model_parameters": model.parameters, "input": messages}
        self.step("generation", name, seconds=seconds, level="ERROR", status_message=reason, **fields)

    def embed(self, text: str) -> None:
        """The embedding of a query."""
        vector = [round(self.chance.gauss(0, 0.03), 5) for _ in range(4)]
        with self.observe("embedding", "embed-query", model=EMBEDDER.name, input=text) as embedding:
            self.work(EMBEDDER.seconds_to_first_token)
            output = {"dimensions": 1536, "first": vector}
            embedding.update(output=output, usage_details={"input": token_count(text)})

    def score(self, name: str, value: float | str, *, about: LangfuseSpan | None, **fields: Any) -> None:
        """A score of the observation's trace, or of the whole session when it is about none."""
        target = {"trace_id": about.trace_id} if about else {"session_id": self._here.session_id}
        self._score_count += 1
        create: Any = self.client(self._here.release).create_score
        create(
            name=name,
            value=value,
            score_id=hashlib.sha256(f"{self._here.session_id}{name}{self._score_count}".encode()).hexdigest()[:32],
            timestamp=self.clock.now,
            environment=self._here.environment,
            **target,
            **fields,
        )

    @property
    def _here(self) -> Visit:
        assert self._visit is not None, "enter a visit first"
        return self._visit
