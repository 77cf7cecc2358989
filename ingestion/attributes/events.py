"""Input and output that came as events of a span."""

from collections.abc import Callable

from ingestion import values, wire
from ingestion.attributes.group import Frame, SpanGroup
from ingestion.attributes.shape import shape_of
from ingestion.values import Value

Found = tuple[list[Value], list[Value]]
Pair = tuple[Value, Value]
Extract = Callable[[SpanGroup], Found]

# Contract 4.4, step 5: one event that holds everything.
OPERATION = "gen_ai.client.inference.operation.details"
# Step 6: an event for each message, and one for each answer.
MESSAGES = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
CHOICE = "gen_ai.choice"
# Step 7: Semantic Kernel.
PROMPT = "gen_ai.content.prompt"
COMPLETION = "gen_ai.content.completion"

_NOTHING: Pair = (None, None)


def from_events(group: SpanGroup, extract: Extract) -> Found | None:
    """Steps 5 to 7; `extract` reads an event's attributes as if they were those of a span."""
    if not any(span.events for span in group.spans):
        return None
    pairs = [_SpanEvents(span.events, group.frame, extract).pair() if span.events else _NOTHING for span in group.spans]
    return [input_ for input_, _ in pairs], [output for _, output in pairs]


def read(attributes: list[bytes], frame: Frame, extract: Extract) -> Pair:
    """Input and output from attributes that are read as if they were those of a span."""
    shape, canonical = shape_of(attributes)
    alone = SpanGroup(frame, shape)
    alone.rows.append(0)
    # Without events of its own: reading it ends here.
    alone.spans.append(wire.Span())
    alone.attributes.append(canonical)
    inputs, outputs = extract(alone)
    return inputs[0], outputs[0]


class _SpanEvents:
    """The events of one span that may hold messages, by name."""

    def __init__(self, raws: list[bytes], frame: Frame, extract: Extract) -> None:
        self._frame = frame
        self._extract = extract
        self._named: list[tuple[str, list[bytes]]] = []
        for raw in raws:
            event = wire.lenient(wire.Event, raw)
            if event.name.startswith(b"gen_ai."):
                self._named.append((event.name.decode("utf-8", "replace"), event.attributes[:]))

    def pair(self) -> Pair:
        """Input and output by the first step that gives either."""
        for step in (self._operation, self._messages, self._content):
            found = step()
            if found != _NOTHING:
                return found
        return _NOTHING

    def _operation(self) -> Pair:
        found = (self._read(attributes) for name, attributes in self._named if name == OPERATION)
        return next((pair for pair in found if pair != _NOTHING), _NOTHING)

    def _messages(self) -> Pair:
        inputs: list[Value] = [
            {"role": MESSAGES[name], **values.attributes(attributes)}
            for name, attributes in self._named
            if name in MESSAGES
        ]
        outputs: list[Value] = [values.attributes(attributes) for name, attributes in self._named if name == CHOICE]
        return inputs or None, single(outputs)

    def _content(self) -> Pair:
        prompts, completions = (
            [self._read(attributes)[side] or values.attributes(attributes) or None for attributes in self._of(event)]
            for side, event in enumerate((PROMPT, COMPLETION))
        )
        return single(prompts), single(completions)

    def _of(self, event: str) -> list[list[bytes]]:
        return [attributes for name, attributes in self._named if name == event]

    def _read(self, attributes: list[bytes]) -> Pair:
        return read(attributes, self._frame, self._extract)


def single(found: list[Value]) -> Value:
    """The one that there is, or all of them."""
    return found[0] if len(found) == 1 else found or None
