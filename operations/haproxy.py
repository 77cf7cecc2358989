"""Stands in for HAProxy's binary under Serve: amends the configuration that Ray wrote, then becomes HAProxy.

Ray runs it at every reload, so it needs nothing but the standard library and starts without `site`.
"""

import os
import re
import shlex
import sys
from pathlib import Path

LOOPBACK = "127.0.0.1"
ENTRY = "haproxy"
UNAVAILABLE = "503.http"
LAST_ANSWER = "u"

_BODY = (
    '{"message":"Heliograph cannot answer at the moment: nothing was lost, send it again in a few seconds.",'
    '"error":"ServiceUnavailable"}'
)
# OpenTelemetry exporters retry 429, 502, 503 and 504 alone; Ray's own file answers 500 and would cost data.
_UNAVAILABLE_RESPONSE = (
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: application/json\r\n"
    "Cache-Control: no-store\r\n"
    "Connection: close\r\n"
    f"Content-Length: {len(_BODY)}\r\n"
    "\r\n"
    f"{_BODY}"
)

# Everything that ingests belongs to one application, which scales on its own, whatever its public address.
# OpenTelemetry's exporters try six times: told to come again in 2 seconds they give up after 10, and left to their own
# back-off, which doubles, after half a minute.
_FRONTEND_RULES = """\
    acl exported path_beg /api/public/otel/ /v1/traces /v1/metrics /v1/logs
    http-request set-var(txn.exported) bool(true) if exported
    acl told_when res.hdr(Retry-After) -m found
    acl backs_off var(txn.exported) -m bool
    acl ingestion path_beg /api/public/otel/ /v1/traces /v1/metrics /v1/logs
    acl ingestion path /api/public/ingestion /api/public/spans /api/public/generations /api/public/events
    acl creation path /api/public/scores /api/public/traces
    http-request set-path /ingest%[path] if ingestion or creation METH_POST
    http-request set-path /api/public/heliograph-metrics if { path /metrics }
    http-request replace-path ^/api/admin/(.*) /api/public/heliograph-admin/\\1 if { path_beg /api/admin/ }
    http-after-response set-header Retry-After 2 if { status 503 } !told_when !backs_off
"""

# Whoever uploads says what a file is: as a document of this origin it must not be able to run anything.
_MEDIA_BACKEND = "heliograph-media"
_MEDIA = """

backend {name}
    http-response set-header X-Content-Type-Options nosniff
    http-response set-header Content-Security-Policy sandbox if !{{ res.hdr(Content-Type) -m beg application/pdf }}
    server store {address}
"""

_FRONTEND_BIND = re.compile(r"^(frontend http_frontend\n\s*bind )\S+(:\d+)", re.MULTILINE)
# Ray reaches the replicas of its own node at loopback, but ours listen at the node's address alone.
_OWN_REPLICA = re.compile(rf"^(\s*server SERVE_REPLICA\S* ){re.escape(LOOPBACK)}(:\d+ )", re.MULTILINE)
_UNNAMED_INTERFACE = re.compile(r"^(\s*bind\s+)\*?:(\d+)", re.MULTILINE)
_STATS_SOCKET = re.compile(r"^(\s*stats socket .*?mode )666\b", re.MULTILINE)
_SYSLOG = re.compile(r"^\s*log (?:\S+:\d+|/dev/log) local0 .*\n", re.MULTILINE)
_ERROR_FILE = re.compile(r"^(\s*errorfile 50[234]) .*$", re.MULTILINE)
# Ray's fallback proxy answers 500 for a replica that dies under it; without it HAProxy itself answers, with 503.
_FALLBACK_SERVER = re.compile(r"^\s*server SERVE_PROXY_ACTOR-\S+ .* backup\n", re.MULTILINE)
# While Serve starts, an application may be missing: its clients must try again, and not be told that it does not exist.
_APPLICATIONS = {"ingest": "/ingest/", "api": "/api/public/"}
_NOT_FOUND = re.compile(r"^(\s*http-request return status) 404 .*$", re.MULTILINE)
# Ingestion may be repeated without harm, so a replica that dies before it answers costs its caller nothing, as long as
# HAProxy holds all of the request: it waits for a small one's body before it passes it on.
_INGESTION_BACKEND = re.compile(r"^backend http-ingest\n", re.MULTILINE)
# One that had a replica's old connection, and finds nobody to be repeated to, HAProxy would close without an answer:
# after three failures the replica is down, and what answers last says when to come again.
_HELD_REQUESTS = """\
    option http-buffer-request
    retry-on conn-failure empty-response
    retries 6
    server heliograph-unavailable unix@{socket} backup
"""
_LAST_ANSWER = """

frontend heliograph-unavailable
    bind unix@{socket} mode 600
    http-request return status 503 errorfile {unavailable}
"""
_DEFAULTS = re.compile(r"^defaults\n", re.MULTILINE)
_FRONTEND = re.compile(r"^frontend http_frontend\n\s*bind .*\n", re.MULTILINE)


def amended(
    configuration: str, unavailable: str, *, public: str = LOOPBACK, node: str = LOOPBACK, store: str = ""
) -> str:
    """The configuration as it has to be; one that was amended before comes back unchanged.

    Args:
        configuration: what Ray rendered.
        unavailable: path of the response for what HAProxy itself cannot deliver.
        public: the address of the front end; everything else stays on loopback.
        node: the address of this node's replicas.
        store: the embedded object store's address with the path of media, `127.0.0.1:3004/heliograph/media/`: clients
            reach these, and nothing else of it, by the front end. '' when clients reach their store themselves.
    """
    text = _FRONTEND_BIND.sub(rf"\g<1>{public}\g<2>", configuration)
    text = _OWN_REPLICA.sub(rf"\g<1>{node}\g<2>", text)
    text = _UNNAMED_INTERFACE.sub(rf"\g<1>{LOOPBACK}:\g<2>", text)
    text = _STATS_SOCKET.sub(r"\g<1>600", text)
    text = _SYSLOG.sub("", text)
    text = _FALLBACK_SERVER.sub("", text)
    text = _ERROR_FILE.sub(lambda found: f"{found[1]} {unavailable}", text)
    if "set-path /ingest" in text:
        return text
    # A dashboard's websocket may be silent for long; a busy replica may answer a check later than the next one is due.
    text = _DEFAULTS.sub("defaults\n    timeout tunnel 1h\n    timeout check 5s\n", text)
    socket = Path(unavailable).with_name(LAST_ANSWER)
    text = _INGESTION_BACKEND.sub(lambda found: found[0] + _HELD_REQUESTS.format(socket=socket), text)
    text = _NOT_FOUND.sub(lambda found: f"{found[1]} 503 errorfile {unavailable}", text)
    missing = [prefix for name, prefix in _APPLICATIONS.items() if f"\nbackend http-{name}\n" not in text]
    refusals = "".join(
        f"    http-request return status 503 errorfile {unavailable} if {{ path_beg {prefix} }}\n" for prefix in missing
    )
    address, slash, path = store.partition("/")
    files = f"    use_backend {_MEDIA_BACKEND} if {{ path_beg {slash}{path} }}\n" if store else ""
    text = _FRONTEND.sub(lambda found: found[0] + _FRONTEND_RULES + refusals + files, text)
    text = text.rstrip("\n") + _LAST_ANSWER.format(socket=socket, unavailable=unavailable)
    return text + _MEDIA.format(name=_MEDIA_BACKEND, address=address) if store else text


def write_entry(folder: Path, binary: str, *, public: str = LOOPBACK, node: str = LOOPBACK, store: str = "") -> Path:
    """Write the executable that Ray is told to use as HAProxy, and the response beside it; returns its path."""
    unavailable = folder / UNAVAILABLE
    unavailable.write_bytes(_UNAVAILABLE_RESPONSE.encode("ascii"))
    words = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), binary, str(unavailable), public, node, store]
    entry = folder / ENTRY
    entry.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8")
    entry.chmod(0o700)
    return entry


def main() -> None:
    """Amend the file after -f and become the binary; the process id stays, which Ray checks."""
    binary, unavailable, public, node, store, *arguments = sys.argv[1:]
    if "-f" in arguments:
        path = Path(arguments[arguments.index("-f") + 1])
        draft = path.with_suffix(".amended")
        text = amended(path.read_text("utf-8"), unavailable, public=public, node=node, store=store)
        draft.write_text(text, "utf-8")
        draft.replace(path)
    os.execv(binary, [binary, *arguments])  # noqa: S606  # this process is to become HAProxy


if __name__ == "__main__":
    main()
