"""The embedded ClickHouse: its configuration, its command, its readiness."""

import hashlib
import signal
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import httpx

from heliograph.settings import CLICKHOUSE_HTTP, LOOPBACK, ClickHouseSettings
from storage.embedded.engine import folder

_PING_SECONDS = 3

# The session limit closes `default`: the idle query that keeps the server alive runs as `default` and holds its one
# session from before the first listener opens, so no network client gets another. It may do nothing but what it does.
_USERS = """<clickhouse>
  <profiles>
    <default>
      <insert_deduplicate>0</insert_deduplicate>
      <use_skip_indexes_if_final>1</use_skip_indexes_if_final>
      <use_skip_indexes_if_final_exact_mode>1</use_skip_indexes_if_final_exact_mode>
      <do_not_merge_across_partitions_select_final>0</do_not_merge_across_partitions_select_final>
      <log_queries_min_query_duration_ms>100</log_queries_min_query_duration_ms>
    </default>
    <idle><max_sessions_for_user>1</max_sessions_for_user></idle>
  </profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>idle</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
        <query>GRANT READ ON FILE</query>
      </grants>
    </default>
    <{user}>
      <password_sha256_hex>{digest}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </{user}>
  </users>
</clickhouse>
"""

_CONFIG = """<clickhouse>
  <logger>
    <level>warning</level>
    <log>{folder}/server.log</log>
    <errorlog>{folder}/errors.log</errorlog>
    <size>20M</size>
    <count>2</count>
  </logger>
  <listen_host>{host}</listen_host>
  <http_port>{http_port}</http_port>
  <max_server_memory_usage>{memory_limit_bytes}</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_merges_mutations_concurrency_ratio>1</background_merges_mutations_concurrency_ratio>
  <os_threads_nice_value_merge_mutate>19</os_threads_nice_value_merge_mutate>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
  <query_log>
    <database>system</database>
    <table>query_log</table>
    <ttl>event_date + INTERVAL 3 DAY DELETE</ttl>
    <flush_interval_milliseconds>10000</flush_interval_milliseconds>
  </query_log>
  <user_directories><users_xml><path>{folder}/users.xml</path></users_xml></user_directories>
</clickhouse>
"""


class ClickHouse:
    """The ClickHouse server of chdb's wheel, as a process of its own."""

    name = "clickhouse"
    stop_seconds = 30.0
    stop_signal = signal.SIGTERM

    def __init__(self, settings: ClickHouseSettings, data: Path, first_port: int) -> None:
        self._settings = settings
        self._folder = folder(data, self.name)
        self._http_port = first_port + CLICKHOUSE_HTTP

    def command(self) -> list[str]:
        """See Engine.command."""
        config = _CONFIG.format(
            folder=escape(str(self._folder)),
            host=LOOPBACK,
            http_port=self._http_port,
            memory_limit_bytes=self._settings.memory_limit_bytes,
        )
        digest = hashlib.sha256(self._settings.password.encode()).hexdigest()
        users = _USERS.format(user=self._settings.user, digest=digest)
        for name, text in (("config.xml", config), ("users.xml", users)):
            path = self._folder / name
            path.touch(mode=0o600)
            path.write_text(text, "utf-8")
        (self._folder / "data").mkdir(exist_ok=True)
        return [sys.executable, "-m", "storage.embedded.clickhouse_server", str(self._folder)]

    def is_ready(self) -> bool:
        """See Engine.is_ready."""
        try:
            answer = httpx.post(
                f"http://{LOOPBACK}:{self._http_port}",
                content="SELECT 1",
                auth=(self._settings.user, self._settings.password),
                timeout=_PING_SECONDS,
            )
        except httpx.HTTPError:
            return False
        return answer.is_success

    def prepare(self) -> None:
        """Nothing: the migrations create the database."""
