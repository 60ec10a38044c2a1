"""A broker that is not there: the error says where it should be."""

import pytest
from django.utils.module_loading import import_string

from core.errors import BrokerUnavailable
from tests.backends.receivers import KINDS, Recorder
from tests.services.environment import free_port

SCHEMES = ["redis://:{password}@", "amqp://me:{password}@"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_error_gives_the_address_without_its_password(kind: str, scheme: str) -> None:
    place = f"127.0.0.1:{free_port()}"
    url = scheme.format(password="s3cret") + place
    backend = import_string(kind)("mail", url, Recorder())
    with pytest.raises(BrokerUnavailable) as error:
        backend.ping()
    assert str(error.value).startswith(f"Broker 'mail' at {url[: url.index(':')]}://")
    assert place in str(error.value)
    assert "s3cret" not in f"{error.value} {error.value!r}"
