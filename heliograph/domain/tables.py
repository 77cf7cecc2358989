"""The Arrow schema of every ClickHouse table and of the raw log: declared once, here.

Text columns are never null: the empty string means absent. Times are UTC microseconds. Costs are US dollars with
twelve decimals, so that sums are exact in any order.
"""

from functools import lru_cache

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
COST = pa.decimal128(18, 12)
TEXT = pa.string()
TEXT_MAP = pa.map_(TEXT, TEXT)
USAGE_MAP = pa.map_(TEXT, pa.uint64())
COST_MAP = pa.map_(TEXT, COST)
TEXTS = pa.list_(TEXT)


def _required(name: str, type_: pa.DataType) -> pa.Field:
    return pa.field(name, type_, nullable=False)


def _optional(name: str, type_: pa.DataType) -> pa.Field:
    return pa.field(name, type_, nullable=True)


# What the lane adds to a mapped row: where it lies, when it was first and last written, which log position shaped it.
LANE_COLUMNS = ("placed_at", "created_at", "updated_at", "row_version")

_LANE_FIELDS = [
    _required("placed_at", TIME),
    _required("created_at", TIME),
    _required("updated_at", TIME),
    _required("row_version", pa.uint64()),
]

OBSERVATIONS = pa.schema(
    [
        _required("project_id", TEXT),
        _required("trace_id", TEXT),
        _required("id", TEXT),
        _required("parent_observation_id", TEXT),
        _required("type", TEXT),
        _required("name", TEXT),
        _required("start_time", TIME),
        _optional("end_time", TIME),
        _optional("completion_start_time", TIME),
        _required("level", TEXT),
        _required("status_message", TEXT),
        _required("environment", TEXT),
        _required("release", TEXT),
        _required("version", TEXT),
        _required("is_app_root", pa.bool_()),
        # The trace's attributes as this observation carries them; the trace row is computed from them.
        _required("trace_name", TEXT),
        _required("user_id", TEXT),
        _required("session_id", TEXT),
        _required("tags", TEXTS),
        _optional("public", pa.bool_()),
        _required("trace_metadata", TEXT_MAP),
        _required("metadata", TEXT_MAP),
        _required("input", TEXT),
        _required("output", TEXT),
        _required("input_preview", TEXT),
        _required("output_preview", TEXT),
        _required("provided_model_name", TEXT),
        _required("model_id", TEXT),
        _required("model_parameters", TEXT),
        _required("usage_details", USAGE_MAP),
        _required("provided_usage_details", USAGE_MAP),
        _required("cost_details", COST_MAP),
        _required("provided_cost_details", COST_MAP),
        _required("input_tokens", pa.uint64()),
        _required("output_tokens", pa.uint64()),
        _required("total_tokens", pa.uint64()),
        _required("total_cost", COST),
        _required("pricing_tier", TEXT),
        # Usage keys for which that tier has no price: what they cost is missing from the total.
        _required("unpriced_usage", TEXTS),
        _required("prompt_id", TEXT),
        _required("prompt_name", TEXT),
        _optional("prompt_version", pa.uint32()),
        _required("source", TEXT),
        _required("service_name", TEXT),
        _required("service_version", TEXT),
        _required("scope_name", TEXT),
        _required("scope_version", TEXT),
        _required("ingestion_api_key", TEXT),
        _required("ingestion_sdk_name", TEXT),
        _required("ingestion_sdk_version", TEXT),
        _required("merge_state", TEXT),
        *_LANE_FIELDS,
    ]
)

TRACES = pa.schema(
    [
        _required("project_id", TEXT),
        _required("id", TEXT),
        _required("timestamp", TIME),
        _required("name", TEXT),
        _required("user_id", TEXT),
        _required("session_id", TEXT),
        _required("environment", TEXT),
        _required("release", TEXT),
        _required("version", TEXT),
        _required("tags", TEXTS),
        _required("public", pa.bool_()),
        _required("bookmarked", pa.bool_()),
        _required("metadata", TEXT_MAP),
        # Set only by events that address the trace itself; else the root observation's payload is the trace's.
        _required("input", TEXT),
        _required("output", TEXT),
        _required("input_preview", TEXT),
        _required("output_preview", TEXT),
        _required("root_observation_id", TEXT),
        _optional("end_time", TIME),
        _optional("latency_ms", pa.float64()),
        _required("level", TEXT),
        _required("observation_count", pa.uint32()),
        _required("error_count", pa.uint32()),
        _required("warning_count", pa.uint32()),
        _required("score_count", pa.uint32()),
        _required("input_tokens", pa.uint64()),
        _required("output_tokens", pa.uint64()),
        _required("total_tokens", pa.uint64()),
        _required("total_cost", COST),
        _required("models", TEXTS),
        _required("score_values", pa.map_(TEXT, pa.float64())),
        _required("score_labels", TEXT_MAP),
        _required("merge_state", TEXT),
        *_LANE_FIELDS,
    ]
)

SCORES = pa.schema(
    [
        _required("project_id", TEXT),
        _required("id", TEXT),
        _required("timestamp", TIME),
        _required("name", TEXT),
        _required("data_type", TEXT),
        _required("source", TEXT),
        _required("value", pa.float64()),
        _required("string_value", TEXT),
        _required("long_string_value", TEXT),
        _required("trace_id", TEXT),
        _required("observation_id", TEXT),
        _required("session_id", TEXT),
        _required("dataset_run_id", TEXT),
        _required("environment", TEXT),
        _required("comment", TEXT),
        _required("metadata", TEXT_MAP),
        _required("author_user_id", TEXT),
        _required("config_id", TEXT),
        _required("queue_id", TEXT),
        _required("execution_trace_id", TEXT),
        _required("evaluator_version", TEXT),
        _required("ingestion_api_key", TEXT),
        _required("ingestion_sdk_name", TEXT),
        _required("ingestion_sdk_version", TEXT),
        _required("merge_state", TEXT),
        *_LANE_FIELDS,
    ]
)

CLICKHOUSE_TABLES = {"observations": OBSERVATIONS, "traces": TRACES, "scores": SCORES}

# One record of the raw log. `subject` is what is merged together: a trace id, or `session:…`, or `run:…`.
RECORDS = pa.schema(
    [
        _required("kind", TEXT),
        _required("project_id", TEXT),
        _required("subject", TEXT),
        _required("entity_type", TEXT),
        _required("entity_id", TEXT),
        _required("received_at", TIME),
        _required("facts", TEXT),
        _required("payload", pa.binary()),
    ]
)

# A record in the archive keeps its place in the log of its lane.
ARCHIVED_RECORDS = pa.schema(
    [*RECORDS, _required("lane", pa.int32()), _required("segment", pa.int64()), _required("ordinal", pa.int32())]
)

# What the archive took from the log: one row for each segment, project and day; a segment that gave nothing has one row
# without a project, so that every number is accounted for.
ARCHIVE_INDEX = pa.schema(
    [
        _required("epoch", pa.int64()),
        _required("segment", pa.int64()),
        _required("is_seal", pa.bool_()),
        _required("project_id", TEXT),
        _required("day", pa.date32()),
        _required("records", pa.int32()),
        _required("nbytes", pa.int64()),
    ]
)

# A field of a trace set by an event that addresses the trace itself, with the stamp that orders it among its rivals.
TRACE_PARTS = pa.schema(
    [
        _required("project_id", TEXT),
        _required("trace_id", TEXT),
        _required("field", TEXT),
        _required("value", TEXT),
        _required("stamped_at", TIME),
        _required("stamp_id", TEXT),
    ]
)

# What an event sets on an observation that arrives in parts: `fields` is a JSON object of texts.
OBSERVATION_PARTS = pa.schema(
    [
        _required("project_id", TEXT),
        _required("trace_id", TEXT),
        _required("id", TEXT),
        _required("fields", TEXT),
        _required("stamped_at", TIME),
        _required("stamp_id", TEXT),
    ]
)


@lru_cache(maxsize=32)
def empty(schema: pa.Schema) -> pa.Table:
    """No rows; made once, since making it takes longer than mapping a row."""
    # `schema.empty_table()` converts Python lists, at whose first one pyarrow imports pandas: a second of every start.
    return pa.Table.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def mapped(schema: pa.Schema) -> pa.Schema:
    """The schema of a row before its lane has placed it: no lane columns, but the index of the record it came from."""
    kept = [field for field in schema if field.name not in LANE_COLUMNS]
    return pa.schema([*kept, _required("record", pa.int32())])


MAPPED_OBSERVATIONS = mapped(OBSERVATIONS)
MAPPED_SCORES = mapped(SCORES)
MAPPED_TRACE_PARTS = mapped(TRACE_PARTS)
MAPPED_OBSERVATION_PARTS = mapped(OBSERVATION_PARTS)
