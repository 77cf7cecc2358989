"""The page on compatibility says what the applications do."""

from tests.compatibility.page import PAGE, text


def test_the_page_is_what_its_command_writes() -> None:
    assert PAGE.read_text("utf-8") == text(), "run `python -m tests.compatibility`"
