"""LiteLLM's callback for OpenTelemetry in Langfuse's dialect."""

import time

import litellm

litellm.callbacks = ["langfuse_otel"]
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
METADATA = {
    "generation_name": "asked",
    "trace_name": "litellm trace",
    "trace_user_id": "user-1",
    "session_id": "session-1",
    "tags": ["a", "b"],
}

litellm.completion(model="openai/gpt-4o-mini", messages=QUESTION, temperature=0.5, metadata=METADATA)
for _ in litellm.completion(model="openai/gpt-4o-mini", messages=QUESTION, stream=True):
    pass
litellm.completion(model="openai/gpt-4o-mini", messages=QUESTION, tools=[WEATHER])
litellm.embedding(model="openai/text-embedding-3-small", input=["Paris"])
try:
    litellm.completion(
        model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "[fail]"}], max_retries=0, num_retries=0
    )
except Exception as error:
    print("as ordered:", error)
# Its callbacks run in a thread, and its exporter sends every few seconds.
time.sleep(8)
