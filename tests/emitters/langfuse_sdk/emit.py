"""Langfuse's Python SDK: decorator, context managers, OpenAI wrapper."""

from langfuse import get_client, observe, propagate_attributes
from langfuse.openai import OpenAI

langfuse = get_client()
client = OpenAI(max_retries=0)
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@observe(as_type="tool")
def look_up(city: str) -> dict[str, str]:
    return {"city": city, "weather": "sunny"}


@observe()
def decorated(question: str) -> str:
    look_up("Paris")
    return question.upper()


@observe()
def wrapped() -> None:
    client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, temperature=0.5, name="asked")
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    for _ in stream:
        pass
    client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, tools=[WEATHER])
    client.responses.create(model="gpt-4o-mini", instructions="Be brief.", input="What is the capital of France?")
    client.embeddings.create(model="text-embedding-3-small", input="Paris")
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "[fail]"}])
    except Exception as error:
        print("as ordered:", error)


def managed() -> None:
    with (
        propagate_attributes(user_id="user-1", session_id="session-1", tags=["a", "b"], trace_name="managed trace"),
        langfuse.start_as_current_observation(name="managed", as_type="agent", input={"question": "?"}) as agent,
    ):
        with langfuse.start_as_current_observation(name="model call", as_type="generation", model="gpt-4o") as call:
            call.update(
                input=QUESTION,
                output="Paris",
                model_parameters={"temperature": 0},
                usage_details={"input": 10, "output": 5},
                cost_details={"input": 0.001, "output": 0.002},
                metadata={"attempt": 1},
            )
        with langfuse.start_as_current_observation(name="search", as_type="retriever", input="France") as search:
            search.update(output=["Paris"], level="WARNING", status_message="few results")
        agent.update(output="Paris")


decorated("hello")
managed()
wrapped()
langfuse.flush()
