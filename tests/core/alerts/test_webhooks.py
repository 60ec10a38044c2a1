"""Where a webhook may go, how long it may take, and what its answer may show."""

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from core.alerts.pinned import is_allowed
from core.alerts.sending import ask
from core.alerts.webhook import Webhook
from core.errors import NotDelivered
from tests.core.alerts.conftest import SECRET, a_test
from tests.services.webhooks import Dripping, Webhooks


def ask_hook(url: str, seconds: float = 10, allowed: bool = True) -> Any:
    networks = (ip_network("127.0.0.0/8"),) if allowed else ()
    return ask(a_test(), Webhook(url, SECRET, networks), seconds)


def test_redirect_is_not_followed(hooks: Webhooks) -> None:
    with Webhooks() as elsewhere:
        hooks.status, hooks.headers = 307, {"Location": elsewhere.url}
        answer = ask_hook(hooks.url)
        assert not answer.ok
        assert "307 Temporary Redirect: redirects are not followed" in answer.text
        assert elsewhere.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0"])
def test_address_of_our_own_is_refused_unless_allowed(
    hooks: Webhooks, host: str
) -> None:
    url = f"http://{host}:{hooks.port}/"
    answer = ask_hook(url, allowed=False)
    assert not answer.ok
    assert "which is not public: refused" in answer.text
    assert hooks.received == []


PRIVATE = [
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "127.9.9.9", "169.254.169.254"),
    *("100.64.0.1", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
    *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1"),
    *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_address_is_allowed(address: str) -> None:
    assert is_allowed(ip_address(address), ())


def test_name_is_looked_up_once_and_that_address_is_used(
    hooks: Webhooks, monkeypatch: Any
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **options: Any) -> Any:
        asked.append(host)
        names = asked.count("rebinding.example")
        # A name that is one thing at the first look, and another at the second.
        known = {"rebinding.example": "127.0.0.1" if names == 1 else "192.0.2.1"}
        return real(known.get(host, host), *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert ask_hook(f"http://rebinding.example:{hooks.port}/").ok
    assert asked.count("rebinding.example") == 1
    assert hooks.received[0].headers["Host"] == f"rebinding.example:{hooks.port}"


def test_answer_that_drips_ends_at_the_deadline() -> None:
    with Dripping() as server:
        url = f"http://127.0.0.1:{server.port}/"
        hook = Webhook(url, SECRET, (ip_network("127.0.0.0/8"),))
        with pytest.raises(NotDelivered, match="no answer within"):
            hook.send(a_test(), 0.5)


def test_certificate_must_be_the_hosts(hooks: Webhooks) -> None:
    answer = ask_hook(f"https://127.0.0.1:{hooks.port}/")
    assert not answer.ok
    assert "SSL" in answer.text


def test_answers_show_neither_the_key_nor_the_path(hooks: Webhooks) -> None:
    hooks.status, hooks.reason = 404, f"no /hook/of-a-secret-kind for {SECRET}"
    assert ask_hook(hooks.url).text == "it answered 404 no *** for ***"
    hooks.status = 200
    assert ask_hook(hooks.url).text == "200 no *** for ***"
