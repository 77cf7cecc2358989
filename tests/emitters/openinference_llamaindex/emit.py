"""OpenInference's instrumentation of LlamaIndex."""

import asyncio
import os

from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.schema import TextNode
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LlamaIndexInstrumentor().instrument(tracer_provider=provider)
address = os.environ["OPENAI_BASE_URL"]
model = OpenAI(model="gpt-4o-mini", api_base=address, max_retries=0)
embedding = OpenAIEmbedding(model="text-embedding-3-small", api_base=address, max_retries=0)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


index = VectorStoreIndex([TextNode(text="Paris is the capital of France.")], embed_model=embedding)
with using_attributes(session_id="session-1", user_id="user-1", metadata={"attempt": 1}, tags=["a", "b"]):
    index.as_query_engine(llm=model).query("What is the capital of France?")
for _ in model.stream_chat([ChatMessage(content="What is the capital of France?")]):
    pass


async def ask() -> None:
    await FunctionAgent(tools=[weather], llm=model, streaming=False).run("What is the weather in Paris?")


asyncio.run(ask())
try:
    model.chat([ChatMessage(content="[fail]")])
except Exception as error:
    print("as ordered:", error)
provider.shutdown()
