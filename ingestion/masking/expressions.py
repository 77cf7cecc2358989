"""How expressions of RE2 are read here."""

from typing import Any

import re2


def options(*, is_text: bool = True) -> Any:
    """They fail silently, and take at most four megabytes; what is no text is read byte by byte."""
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = 4 << 20
    if not is_text:
        # The stubs do not know the enumeration, nor that a set answers with places.
        encodings: Any = re2.Options
        chosen.encoding = encodings.Encoding.LATIN1
    return chosen
