"""One POST to an address that was looked up once, and checked, within a deadline.

Whoever may set an alert's address must not reach by it what only this host can reach.
So the name is resolved once, every address of it must be a public one or in a network
that is allowed, and the connection goes to just that address; nothing is redirected.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult

from core.errors import NotDelivered

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

PORTS = {"http": 80, "https": 443}
#: IPv6 addresses that a translator makes IPv4 ones of (RFC 6052).
_TRANSLATED = ip_network("64:ff9b::/96")
#: Bytes of an answer that are read.
_LONGEST = 4096


class Deadline:
    """So many seconds for all steps together."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return what is left; raise `NotDelivered` when that is nothing."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise NotDelivered(f"no answer within {self.seconds:g} s")
        return left


def post(
    url: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    networks: Networks,
) -> str:
    """Send a POST; return the status of the answer, as "204 No Content".

    Raises `NotDelivered` for an address that is refused, a deadline that has passed,
    an answer that is not 2xx.
    """
    deadline = Deadline(seconds)
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    addresses = resolve(host, port, networks)
    try:
        with (
            _connect(addresses, port, deadline) as plain,
            _secured(plain, url, deadline) as channel,
        ):
            channel.settimeout(deadline.left())
            channel.sendall(_request(url, body, headers))
            return _status(_first_line(channel, deadline))
    except TimeoutError:
        raise NotDelivered(f"no answer within {seconds:g} s") from None
    except OSError as error:
        raise NotDelivered(f"{host} port {port}: {error}") from None


def resolve(host: str, port: int, networks: Networks) -> list[Address]:
    """Return the addresses of a host, all of them checked; raise `NotDelivered`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"{host} has no address: {error}") from None
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for address in addresses:
        if not is_allowed(address, networks):
            raise NotDelivered(
                f"{host} is {address}, which is not public: refused."
                " Allow its network in ALERTS['ALLOW_NETWORKS'] if it is meant"
            )
    return list(dict.fromkeys(addresses))


def is_allowed(address: Address, networks: Networks) -> bool:
    """Return True if an address is public, or in one of the networks."""
    inner = _embedded(address)
    if any(inner in network for network in networks):
        return True
    return inner.is_global and not (inner.is_multicast or inner.is_reserved)


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, or itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _connect(addresses: list[Address], port: int, deadline: Deadline) -> socket.socket:
    trouble: OSError = OSError("it has no address")
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), deadline.left())
        except OSError as error:
            trouble = error
    raise trouble


def _secured(
    plain: socket.socket, url: SplitResult, deadline: Deadline
) -> socket.socket:
    """Speak TLS where it is asked for; the certificate must be the host's."""
    if url.scheme == "http":
        return plain
    plain.settimeout(deadline.left())
    context = ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=url.hostname)


def _request(url: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {url.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("ascii") + body


def _first_line(channel: socket.socket, deadline: Deadline) -> str:
    """Read no more than is needed, however slowly it comes."""
    answer = b""
    while b"\n" not in answer:
        channel.settimeout(deadline.left())
        part = channel.recv(_LONGEST)
        answer += part
        if not part or len(answer) > _LONGEST:
            break
    return answer.partition(b"\n")[0].decode("latin-1").strip()


def _status(line: str) -> str:
    version, _, status = line.partition(" ")
    code = status[:3]
    if not version.startswith("HTTP/1.") or not code.isdecimal():
        raise NotDelivered("what answered does not speak HTTP/1.1")
    told = "".join(letter for letter in status[:100] if letter.isprintable())
    if code.startswith("3"):
        raise NotDelivered(f"{told}: redirects are not followed; give the last address")
    if not code.startswith("2"):
        raise NotDelivered(f"it answered {told}")
    return told
