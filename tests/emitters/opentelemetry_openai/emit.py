"""OpenTelemetry's own instrumentation of the OpenAI client: spans, and the messages as log events."""

import os

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"

from openai import OpenAI
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_tracer_provider

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_tracer_provider(provider)
set_logger_provider(logs)
OpenAIInstrumentor().instrument()
client = OpenAI(max_retries=0)
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}

with provider.get_tracer("application").start_as_current_span("ask"):
    client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, temperature=0.5)
    for _ in client.chat.completions.create(
        model="gpt-4o-mini", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    ):
        pass
    called = client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, tools=[WEATHER])
    call = called.choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "sunny"}
    client.chat.completions.create(model="gpt-4o-mini", messages=[*QUESTION, call, result], tools=[WEATHER])
    client.embeddings.create(model="text-embedding-3-small", input="Paris")
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "[fail]"}])
    except Exception as error:
        print("as ordered:", error)
logs.shutdown()
provider.shutdown()
