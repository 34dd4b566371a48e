"""Results as the repository keeps them."""

import datetime
import json
import platform
from collections.abc import Sequence
from importlib import metadata


def made_with(programs: Sequence[str]) -> dict:
    """Today's date and the versions of what took part."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in programs},
        },
    }


def in_lines(result: dict) -> str:
    """JSON with one line per row."""
    parts = []
    for name, value in result.items():
        if isinstance(value, list):
            inner = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in value)
            parts.append(f' "{name}": [\n{inner}\n ]')
        else:
            parts.append(f' "{name}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"
