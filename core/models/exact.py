"""JSON that comes back from PostgreSQL as it was.

jsonb keeps numbers as decimals: of 1e16 it makes an integer, and of -0.0 zero. What it
does keep are zeros after the point, and digits too small for a float.
"""

import json
import re
from decimal import Decimal
from typing import Any

#: What json writes of such floats; strings come first, so that nothing in them counts.
_FLOATS = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9.]+e\+[0-9]+|-0\.0(?![0-9])')
#: Read as a float, it is -0.0.
_MINUS_ZERO = "-1e-400"


class ExactEncoder(json.JSONEncoder):
    """Writes floats so that no decimal is an integer, and no zero loses its sign."""

    def encode(self, o: Any) -> str:
        """Return the JSON of a value."""
        text = super().encode(o)
        if "e+" not in text and "-0.0" not in text:
            return text
        return _FLOATS.sub(_exact, text)


def _exact(found: re.Match[str]) -> str:
    text = found.group()
    if text.startswith('"'):
        return text
    return _MINUS_ZERO if text == "-0.0" else f"{Decimal(text):f}.0"
