"""smolagents, with OpenInference's instrumentation, which its documentation names."""

import os

from openinference.instrumentation import using_attributes
from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
SmolagentsInstrumentor().instrument(tracer_provider=provider)

from smolagents import OpenAIModel, ToolCallingAgent, tool  # noqa: E402 - what is instrumented must be imported after

model = OpenAIModel(
    model_id="gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], api_key="none", client_kwargs={"max_retries": 0}
)


@tool
def weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: its name.
    """
    return f"sunny in {city}"


with using_attributes(session_id="session-1", user_id="user-1", metadata={"attempt": 1}, tags=["a", "b"]):
    ToolCallingAgent([weather], model, max_steps=3).run("What is the weather in Paris?")
try:
    ToolCallingAgent([], model, max_steps=1).run("[fail]")
except Exception as error:
    print("as ordered:", error)
provider.shutdown()
