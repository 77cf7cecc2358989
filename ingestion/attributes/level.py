"""The level of an observation and its status message."""

from ingestion import wire
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns

DEFAULT = "DEFAULT"

# Contract 4.2, level.
LEVEL_KEY = "langfuse.observation.level"
ALIASES = (
    dict.fromkeys(("DEBUG", "TRACE", "VERBOSE"), "DEBUG")
    | dict.fromkeys(("DEFAULT", "INFO", "LOG", "NOTICE", "OK", "SUCCESS"), DEFAULT)
    | dict.fromkeys(("WARNING", "WARN"), "WARNING")
    | dict.fromkeys(("ERROR", "FATAL", "CRITICAL"), "ERROR")
)
LIVEKIT_DEBUG = frozenset(
    {
        "user_speaking", "eou_detection", "llm_request_run", "tts_node", "tts_request", "tts_request_run",
        "tts_stream_adapter", "agent_speaking", "drain_agent_activity", "on_exit", "on_enter",
        "llm_fallback_adapter", "tts_fallback_adapter", "start_agent_activity",
    }
)  # fmt: skip
MESSAGE_KEYS: Keys = ("langfuse.observation.status_message",)

_STATUS_ERROR = 2


def fill(group: SpanGroup, columns: Columns) -> None:
    """Sets `level` and `status_message`."""
    codes, messages = _statuses(group)
    levels = ["ERROR" if code == _STATUS_ERROR else "" for code in codes]
    if group.frame.scope_name == "livekit-agents":
        names = [span.name.decode("utf-8", "replace") for span in group.spans]
        levels = [
            level or ("DEBUG" if name in LIVEKIT_DEBUG else "") for level, name in zip(levels, names, strict=True)
        ]
    declared = group.first_texts((LEVEL_KEY,))
    if declared is not None:
        levels = [ALIASES.get(text.strip().upper(), level) for text, level in zip(declared, levels, strict=True)]
    columns.put("level", group.rows, [level or DEFAULT for level in levels])
    given = group.first_texts(MESSAGE_KEYS)
    if given is not None:
        messages = [better or message for better, message in zip(given, messages, strict=True)]
    if any(messages):
        columns.put("status_message", group.rows, messages)


def _statuses(group: SpanGroup) -> tuple[list[int], list[str]]:
    codes = [0] * len(group)
    messages = [""] * len(group)
    for place, span in enumerate(group.spans):
        if span.status:
            status = wire.lenient(wire.Status, span.status)
            codes[place] = status.code
            messages[place] = status.message.decode("utf-8", "replace")
    return codes, messages
