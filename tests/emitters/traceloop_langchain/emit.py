"""OpenLLMetry (Traceloop's SDK) with LangChain."""

import os

from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from traceloop.sdk import Traceloop
from traceloop.sdk.instruments import Instruments

# With its instrumentation of the OpenAI client each call would come twice.
Traceloop.init(
    app_name="emitter",
    api_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"],
    headers=os.environ["OTEL_EXPORTER_OTLP_HEADERS"],
    instruments={Instruments.LANGCHAIN},
    telemetry_enabled=False,
)
model = ChatOpenAI(model="gpt-4o-mini", temperature=0, max_retries=0)
prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{question}")])
chain = prompt | model | StrOutputParser()


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


Traceloop.set_association_properties({"user_id": "user-1", "session_id": "session-1"})
chain.invoke({"question": "What is the capital of France?"})
create_agent(model, [weather]).invoke({"messages": [("user", "What is the weather in Paris?")]})
for _ in chain.stream({"question": "What is the capital of France?"}):
    pass
try:
    chain.invoke({"question": "[fail]"})
except Exception as error:
    print("as ordered:", error)
