"""OpenLLMetry (Traceloop's SDK) with the OpenAI client."""

import os

from openai import OpenAI
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import task, tool, workflow

Traceloop.init(
    app_name="emitter",
    api_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"],
    headers=os.environ["OTEL_EXPORTER_OTLP_HEADERS"],
    telemetry_enabled=False,
)
client = OpenAI(max_retries=0)
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@tool(name="weather")
def weather(city: str) -> str:
    return f"sunny in {city}"


@task(name="calls")
def calls(question: str) -> str:
    found = client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, temperature=0.5)
    for _ in client.chat.completions.create(
        model="gpt-4o-mini", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    ):
        pass
    client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, tools=[WEATHER])
    client.embeddings.create(model="text-embedding-3-small", input="Paris")
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "[fail]"}])
    except Exception as error:
        print("as ordered:", error)
    return found.choices[0].message.content or question


@workflow(name="ask")
def ask(question: str) -> str:
    Traceloop.set_association_properties({"user_id": "user-1", "session_id": "session-1"})
    weather("Paris")
    return calls(question)


ask("What is the capital of France?")
