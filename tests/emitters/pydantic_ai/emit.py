"""pydantic-ai, instrumented by Logfire, which sends to any OpenTelemetry endpoint."""

import logfire
from pydantic_ai import Agent

logfire.configure(service_name="emitter", send_to_logfire=False, console=False)
logfire.instrument_pydantic_ai()
agent = Agent("openai-chat:gpt-4o-mini", name="geographer", instructions="Be brief.")


@agent.tool_plain
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


with logfire.span("ask {place}", place="Paris"):
    print(agent.run_sync("What is the weather in Paris?").output)
    try:
        Agent("openai-chat:gpt-4o-mini", name="unlucky").run_sync("[fail]")
    except Exception as error:
        print("as ordered:", error)
logfire.shutdown()
