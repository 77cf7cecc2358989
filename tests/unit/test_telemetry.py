"""Logs as other programs read them."""

import json
import subprocess
import sys

_PROGRAM = """
from heliograph import telemetry
log = telemetry.logger("part")
telemetry.configure_logs("WARNING")
log.info("too_quiet")
log.warning("segment_lost", lane=3)
"""


def test_a_logger_made_before_the_configuration_follows_it() -> None:
    told = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True)
    (line,) = told.stderr.splitlines()
    assert told.stdout == ""
    fact = json.loads(line)
    assert (fact["event"], fact["component"], fact["lane"], fact["level"]) == ("segment_lost", "part", 3, "warning")
