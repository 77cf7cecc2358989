"""OpenInference's instrumentation of LangChain."""

from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=provider)
model = ChatOpenAI(model="gpt-4o-mini", temperature=0, max_retries=0)
prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{question}")])
chain = prompt | model | StrOutputParser()


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


with using_attributes(session_id="session-1", user_id="user-1", metadata={"attempt": 1}, tags=["a", "b"]):
    chain.invoke({"question": "What is the capital of France?"})
create_agent(model, [weather]).invoke({"messages": [("user", "What is the weather in Paris?")]})
for _ in chain.stream({"question": "What is the capital of France?"}):
    pass
try:
    chain.invoke({"question": "[fail]"})
except Exception as error:
    print("as ordered:", error)
provider.shutdown()
