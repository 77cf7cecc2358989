"""Logs as other programs read them."""

import json
import subprocess
import sys
from pathlib import Path

from heliograph.settings import PostgresSettings, Settings, TelemetrySettings

_PROGRAM = """
from heliograph import telemetry
log = telemetry.logger("part")
telemetry.configure_logs("WARNING")
log.info("too_quiet")
log.warning("segment_lost", lane=3)
"""

_REPLACED = """
import io, sys
from heliograph import telemetry
log = telemetry.logger("part")
standard_error, sys.stderr = sys.stderr, io.StringIO()
telemetry.configure_logs()
log.info("first")
sys.stderr.close()
sys.stderr = standard_error
log.info("second")
"""


def test_a_logger_outlives_the_stream_that_it_first_wrote_to() -> None:
    told = subprocess.run([sys.executable, "-c", _REPLACED], capture_output=True, check=True, text=True)
    assert json.loads(told.stderr)["event"] == "second"


def test_a_logger_made_before_the_configuration_follows_it() -> None:
    told = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True)
    (line,) = told.stderr.splitlines()
    assert told.stdout == ""
    fact = json.loads(line)
    assert (fact["event"], fact["component"], fact["lane"], fact["level"]) == ("segment_lost", "part", 3, "warning")


_PART = """
from heliograph import telemetry
telemetry.configure_logs("INFO", "lane-0", {"correct horse", "sk-of-s3-store", "short"})
try:
    raise OSError("cannot log in with 'correct horse' and short")
except OSError:
    telemetry.logger("lane").exception("store_refused", key="sk-of-s3-store")
"""


def test_every_line_names_its_part_and_shows_no_secret() -> None:
    told = subprocess.run([sys.executable, "-c", _PART], capture_output=True, check=True, text=True)
    (line,) = told.stderr.splitlines()
    fact = json.loads(line)
    assert (fact["part"], fact["component"], fact["key"]) == ("lane-0", "lane", "***")
    assert "cannot log in with '***' and short" in fact["exception"]
    assert "correct horse" not in line


def test_the_settings_know_what_must_not_be_written(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        pepper="the pepper",
        postgres=PostgresSettings(url="postgresql://me:in-the-url@host/db"),
        telemetry=TelemetrySettings(headers={"authorization": "Basic abc"}),
    )
    assert settings.secret_values == {"the pepper", "in-the-url", "Basic abc"}
