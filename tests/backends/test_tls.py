"""Brokers behind TLS, on both engines."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from core.backend import EngineMessage
from core.errors import BrokerUnavailable
from tests.backends.receivers import KINDS, build
from tests.services.tls import behind_tls, make_certificate

#: A URL's scheme, and the fixture of the server.
SERVERS = {"rediss": "valkey", "amqps": "rabbitmq"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=SERVERS)
def place(
    request: pytest.FixtureRequest, certificate: tuple[Path, Path]
) -> Iterator[str]:
    """The URL of a server behind TLS, without what follows the "?"."""
    server = request.getfixturevalue(SERVERS[request.param])
    with behind_tls(server.port, certificate) as port:
        yield f"{request.param}://localhost:{port}/"


@pytest.mark.parametrize("kind", KINDS)
def test_broker_and_client_know_each_other_by_certificate(
    kind: str, place: str, certificate: tuple[Path, Path]
) -> None:
    pem, key = certificate
    mine = f"ssl_certfile={pem}&ssl_keyfile={key}"
    backend = build(kind, f"{place}?ssl_ca_certs={pem}&{mine}", publish_timeout=10)
    queue = f"tls-{uuid4().hex[:8]}"
    backend.publish([EngineMessage(str(uuid4()), "test.tls", queue, "signed")])
    assert backend.depth(queue) == 1
    assert backend.purge(queue) == 1
    with pytest.raises(BrokerUnavailable, match=r"(?i)certificate|ssl"):
        build(kind, f"{place}?{mine}", publish_timeout=10).ping()
    build(kind, f"{place}?ssl_cert_reqs=none&{mine}", publish_timeout=10).ping()
