"""The same shop under every combination; only environment variables differ."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from project.demo import customers
from project.demo.processes import PROJECT, Shop, free_port
from tests.conformance.stacks import COMBINATIONS
from tests.services.smtp import SmtpServer

LINES = [[{"product": "boxcar-gs", "quantity": 2}]]


@pytest.fixture(params=COMBINATIONS)
def shop(
    request: pytest.FixtureRequest, smtp: SmtpServer, tmp_path: Path
) -> Iterator[Shop]:
    """A shop of its own, started as an operator would."""
    engine, _, server = request.param.partition("_")
    environment = {
        "DJANGO_SETTINGS_MODULE": "settings.dev",
        "TASK_BACKEND": engine,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.sqlite3'}",
        "EMAIL_URL": smtp.url,
        "MEDIA_ROOT": str(tmp_path / "media"),
        "NAMESPACE": f"switch-{os.getpid()}",
    }
    if server:
        environment["BROKER_URL"] = request.getfixturevalue(server).url
    for command in ("migrate", "seed_shop"):
        subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=PROJECT,
            env={**os.environ, **environment},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    running = Shop(environment, free_port(), tmp_path / "logs")
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_order_completes_and_its_report_is_mailed(shop: Shop, smtp: SmtpServer) -> None:
    (placed,) = customers.place(shop.url, "switch", LINES)
    customers.follow(shop.url, [placed], lambda done, total: None)
    order: dict[str, Any] = customers.get_json(shop.url + placed.status_url)
    assert {task["status"] for task in order["tasks"]} == {"succeeded"}
    assert [line["sold_out"] for line in order["lines"]] == [False]
    (mail,) = [m for m in smtp.messages if placed.email in m["To"]]
    assert [part.get_content_type() for part in mail.iter_attachments()] == [
        "application/pdf"
    ]
