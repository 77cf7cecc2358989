"""The smallest useful trace: a question, its answer, what it cost. Needs the LANGFUSE_… variables of connection.env."""

from langfuse import get_client, propagate_attributes

langfuse = get_client()
assert langfuse.auth_check(), "The keys are not known there"

with (
    propagate_attributes(user_id="you", session_id="first-steps", tags=["example"]),
    langfuse.start_as_current_observation(name="first-trace", input="What is a heliograph?") as root,
):
    with langfuse.start_as_current_observation(as_type="generation", name="answer", model="gpt-4o-mini") as generation:
        generation.update(
            input=[{"role": "user", "content": "What is a heliograph?"}],
            output="A device that sends messages with flashes of sunlight.",
            usage_details={"input": 14, "output": 11},
        )
    root.update(output="A device that sends messages with flashes of sunlight.")
    root.score_trace(name="helpful", value=1, data_type="BOOLEAN")

langfuse.flush()
print(f"Sent trace {root.trace_id}")
