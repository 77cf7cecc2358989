"""OpenInference's instrumentation of the OpenAI client."""

from openai import OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = OpenAI(max_retries=0)
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}

with (
    provider.get_tracer("application").start_as_current_span("ask"),
    using_attributes(session_id="session-1", user_id="user-1", metadata={"attempt": 1}, tags=["a", "b"]),
):
    client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, temperature=0.5)
    for _ in client.chat.completions.create(
        model="gpt-4o-mini", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    ):
        pass
    client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, tools=[WEATHER])
    client.responses.create(model="gpt-4o-mini", instructions="Be brief.", input="What is the capital of France?")
    client.embeddings.create(model="text-embedding-3-small", input="Paris")
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "[fail]"}])
    except Exception as error:
        print("as ordered:", error)
provider.shutdown()
