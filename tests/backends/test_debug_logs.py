"""What an engine's own worker logs at its most talkative."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from core.models import Attempt
from tests.conformance.secret_tasks import refuse
from tests.conformance.stacks import Stack
from tests.services.valkey import Valkey
from tests.services.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "p'ss hunter22 ü"


@pytest.fixture(params=["celery_valkey", "dramatiq_valkey"])
def talkative(
    request: pytest.FixtureRequest, valkey: Valkey, tmp_path: Path
) -> Iterator[Stack]:
    environment = {
        "TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        "LOG_LEVEL": "DEBUG",
    }
    log = tmp_path / "worker.log"
    with Stack(request.param, valkey, log, environment).running() as running:
        yield running


def test_secret_is_in_no_log_of_an_engine(talkative: Stack) -> None:
    for durable in (True, False):
        message = talkative.send(refuse, "ann", PASSWORD, durable=durable)
    told = Attempt.objects.filter(error__endswith="ann may not come in with ***")
    wait_for(lambda: told.count() == 2, 30, f"both failed\n{talkative.tail()}")
    log = talkative.log.read_text(errors="replace")
    assert "DEBUG" in log
    assert message.message_id in log
    assert "hunter22" not in log
