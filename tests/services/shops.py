"""A shop's database, as an operator would make it."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def fill(url: str) -> None:
    """Give a database the shop's tables and its assortment."""
    environment = {"DJANGO_SETTINGS_MODULE": "settings.dev", "DATABASE_URL": url}
    for command in ("migrate", "seed_shop"):
        subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=PROJECT,
            env={**os.environ, **environment},
            check=True,
            stdout=subprocess.DEVNULL,
        )
