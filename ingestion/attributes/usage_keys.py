"""The keys of usage: what instrumentations call them, and what they are called here."""

from ingestion.attributes.shape import Keys

# Contract 3.5: the usage objects of OpenAI's chat completions and of its responses, and our keys for theirs.
OPENAI_NAMES: dict[str, str] = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "input_tokens": "input",
    "output_tokens": "output",
    "total_tokens": "total",
}
# Details become keys of their own, `input_…` or `output_…`, and are subtracted from their side.
OPENAI_DETAILS: dict[str, str] = {
    "prompt_tokens_details": "input",
    "completion_tokens_details": "output",
    "input_tokens_details": "input",
    "output_tokens_details": "output",
}
OPENAI_CHAT = frozenset(
    {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"}
)
OPENAI_RESPONSE = frozenset(
    {"input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"}
)

# Contract 4.6, step 5: our key, and its names under `gen_ai.usage.` and `llm.token_count.`, first found wins.
SOURCES: dict[str, Keys] = {
    "input": ("prompt_tokens", "input_tokens", "prompt"),
    "output": ("completion_tokens", "output_tokens", "completion"),
    "total": ("total_tokens", "total"),
    "input_cached_tokens": (
        "cache_read.input_tokens",
        "cache_read_input_tokens",
        "cache_read_tokens",
        "details.cache_read_tokens",
        "details.cache_read_input_tokens",
        "prompt_details.cache_read",
        "input_cached_tokens",
    ),
    "input_cache_creation": (
        "cache_creation.input_tokens",
        "cache_creation_input_tokens",
        "cache_write_tokens",
        "details.cache_write_tokens",
        "details.cache_creation_input_tokens",
        "prompt_details.cache_write",
        "input_cache_creation",
    ),
    # Beyond the contract: audio and reasoning as OpenInference, pydantic-ai and OpenLLMetry report parts of a side.
    "input_audio_tokens": ("prompt_details.audio",),
    "output_reasoning_tokens": (
        "reasoning.output_tokens",
        "completion_details.reasoning",
        "details.reasoning_tokens",
        "reasoning_tokens",
    ),
    "output_audio_tokens": ("completion_details.audio",),
}
SOURCE_NAMES = frozenset(name for names in SOURCES.values() for name in names)
# What is a part of which: subtracted, so that nothing is counted or billed twice.
PARTS: dict[str, Keys] = {
    "input": ("input_cached_tokens", "input_cache_creation", "input_audio_tokens"),
    "output": ("output_reasoning_tokens", "output_audio_tokens"),
}

# Contract 4.6, step 3: the Vercel AI SDK (scope `ai`), by attribute.
VERCEL: dict[str, Keys] = {
    # Embeddings have one count, which is their input and their total.
    "input": ("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens", "ai.usage.tokens"),
    "output": ("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"),
    "total": ("ai.usage.tokens",),
    "input_cached_tokens": ("ai.usage.cachedInputTokens",),
    "output_reasoning_tokens": ("ai.usage.reasoningTokens",),
}
# By the provider's metadata, which comes as JSON.
VERCEL_PROVIDER_KEY = "ai.response.providerMetadata"
VERCEL_KEYS: Keys = (*(key for keys in VERCEL.values() for key in keys), VERCEL_PROVIDER_KEY)
VERCEL_PROVIDER: dict[tuple[str, ...], str] = {
    ("openai", "cachedPromptTokens"): "input_cached_tokens",
    ("openai", "acceptedPredictionTokens"): "accepted_prediction_tokens",
    ("openai", "rejectedPredictionTokens"): "rejected_prediction_tokens",
    ("openai", "reasoningTokens"): "output_reasoning_tokens",
    ("anthropic", "usage", "cache_creation_input_tokens"): "input_cache_creation",
    ("anthropic", "usage", "cache_read_input_tokens"): "input_cached_tokens",
    ("anthropic", "usage", "cache_creation", "ephemeral_5m_input_tokens"): "input_cache_creation_5m",
    ("anthropic", "usage", "cache_creation", "ephemeral_1h_input_tokens"): "input_cache_creation_1h",
    ("bedrock", "usage", "cacheReadInputTokens"): "input_cache_read",
    ("bedrock", "usage", "cacheWriteInputTokens"): "input_cache_write",
    ("bedrock", "usage", "cacheCreationInputTokens"): "input_cache_creation",
}
# `input_cache_write` is not among them: Bedrock reports it beside its input.
VERCEL_PARTS: dict[str, Keys] = {
    "input_cache_creation": ("input_cache_creation_5m", "input_cache_creation_1h"),
    "input": (
        "input_cached_tokens",
        "input_cache_creation",
        "input_cache_creation_5m",
        "input_cache_creation_1h",
        "input_cache_read",
    ),
    "output": ("output_reasoning_tokens",),
}

# Contract 4.6, step 4: Google's agent kit reports cached tokens only within its response; they are part of its input.
ADK_SCOPE = "gcp.vertex.agent"
ADK_RESPONSE = "gcp.vertex.agent.llm_response"
ADK_CACHED_PATH = ("usage_metadata", "cached_content_token_count")
ADK_CACHED = "input_cached_tokens"

# Contract 4.6, step 2: genkit, within the JSON of `genkit:output`.
GENKIT: dict[str, str] = {
    "inputTokens": "input",
    "outputTokens": "output",
    "totalTokens": "total",
    "thoughtsTokens": "output_reasoning",
}
GENKIT_PARTS: dict[str, Keys] = {"output": ("output_reasoning",)}
