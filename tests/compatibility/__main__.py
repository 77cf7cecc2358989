"""Writes the page: `python -m tests.compatibility`."""

from tests.compatibility.page import PAGE, text

PAGE.write_text(text(), "utf-8")
