"""What no emitter sends on purpose, as Hypothesis draws it: attributes, events, spans, and JSON in their place."""

from hypothesis import strategies as st

from tests.unit.ingestion.spans import event, span

KEYS = (
    "langfuse.observation.type", "langfuse.observation.input", "langfuse.observation.metadata",
    "langfuse.observation.metadata.k", "langfuse.observation.usage_details", "langfuse.observation.cost_details",
    "langfuse.observation.model.name", "langfuse.observation.prompt.version", "langfuse.observation.prompt.name",
    "langfuse.observation.completion_start_time", "langfuse.observation.level", "langfuse.trace.tags", "user.id",
    "langfuse.trace.public", "langfuse.trace.input", "langfuse.environment", "gen_ai.usage.input_tokens",
    "gen_ai.usage.cost", "gen_ai.operation.name", "gen_ai.prompt.0.role", "gen_ai.input.messages",
    "gen_ai.system_instructions", "events", "ai.operationId", "genkit:output", "input.value", "x", "",
    "gen_ai.prompt", "gen_ai.prompt.0", "gen_ai.prompt.x.1", "gen_ai.completion", "llm.input_messages.0.message.role",
    "langfuse.observation.model.parameters", "llm.invocation_parameters", "model_config", "gen_ai.request.top_p",
    "genkit:input", "genkit:metadata:subtype", "genkit:name", "ai.response.providerMetadata", "ai.response.text",
    "ai.response.toolCalls", "ai.response.msToFirstChunk", "ai.usage.tokens", "ai.prompt.messages",
    "ai.telemetry.metadata.langfusePrompt", "gcp.vertex.agent.llm_response", "gcp.vertex.agent.llm_request",
    "completion.rawRequest", "openrouter.source", "langfuse.experiment.id", "langfuse.experiment.metadata",
    "pydantic_ai.all_messages", "final_result", "langfuse.trace.metadata", "langfuse.metadata", "tag.tags",
    "langfuse.internal.as_root", "openinference.span.kind", "traceloop.span.kind", "logfire.msg",
)  # fmt: skip
scalars = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.binary(max_size=10)
    | st.none()
    | st.sampled_from(["{", "[1", '{"input": 1e400}', '{"a": "\\ud800"}', '{"input": 99999999999999999999}', "\x00"])
)
odd_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=3), inner, max_size=3)
)
attributes = st.dictionaries(st.sampled_from(KEYS), odd_values, max_size=8)
scopes = st.sampled_from(
    [
        (name, "1")
        for name in ("langfuse-sdk", "ai", "genkit-tracer", "gcp.vertex.agent", "pydantic-ai", "livekit-agents")
    ]
)
events = st.builds(
    event,
    st.sampled_from(
        [
            "gen_ai.client.inference.operation.details", "gen_ai.user.message", "gen_ai.choice",
            "gen_ai.content.prompt", "gen_ai.content.completion", "exception",
        ]
    ),
    attributes,
)  # fmt: skip
spans = st.builds(lambda found, happened: span(found, events=happened), attributes, st.lists(events, max_size=2))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
any_values = st.one_of(
    json_values,
    st.dictionaries(
        st.sampled_from(
            ["stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue"]
        ),
        json_values | st.fixed_dictionaries({"values": st.lists(json_values, max_size=3)}),
        max_size=2,
    ),
)
