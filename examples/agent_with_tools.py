"""An agent with the SDK's decorator: functions become observations. Needs the LANGFUSE_… variables."""

from langfuse import get_client, observe, propagate_attributes

TEMPERATURES = {"Aarhus": 11, "Graz": 17, "Porto": 22}

langfuse = get_client()


@observe(as_type="tool")
def temperature_in(city: str) -> int:
    """What a weather service would answer; an unknown city is an error, and shown as one."""
    return TEMPERATURES[city]


@observe(as_type="generation")
def ask_model(question: str) -> str:
    """Where a call of a language model would be."""
    city = question.removesuffix("?").rsplit(maxsplit=1)[-1]
    langfuse.update_current_generation(model="gpt-4o-mini", usage_details={"input": len(question) // 4, "output": 2})
    return city


@observe(as_type="agent")
def packing_advice(question: str) -> str:
    """Ask which city is meant, look its temperature up, and decide."""
    try:
        degrees = temperature_in(ask_model(question))
    except KeyError:
        return "I don't know that city."
    return "Take a jacket." if degrees < 15 else "A shirt will do."


with propagate_attributes(session_id="packing", trace_name="packing-agent"):
    for city in ("Aarhus", "Porto", "Atlantis"):
        print(city, "→", packing_advice(f"What should I wear in {city}?"))

langfuse.flush()
