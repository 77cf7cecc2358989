"""Plain OpenTelemetry, no Langfuse SDK: spans with the `gen_ai` conventions, exported over OTLP."""

from base64 import b64encode

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_settings import BaseSettings, SettingsConfigDict


class Connection(BaseSettings):
    """The HELIOGRAPH_… variables of connection.env."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_")

    url: str
    public_key: str
    secret_key: str


connection = Connection()
credentials = b64encode(f"{connection.public_key}:{connection.secret_key}".encode()).decode()
exporter = OTLPSpanExporter(
    endpoint=f"{connection.url}/api/public/otel/v1/traces", headers={"Authorization": f"Basic {credentials}"}
)
provider = TracerProvider(resource=Resource({"service.name": "example"}))
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("example")

with (
    tracer.start_as_current_span("question", attributes={"session.id": "plain-opentelemetry"}),
    tracer.start_as_current_span("chat gpt-4o-mini") as span,
):
    span.set_attributes(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.usage.input_tokens": 21,
            "gen_ai.usage.output_tokens": 8,
        }
    )

provider.shutdown()
print("Sent")
