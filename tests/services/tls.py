"""A server behind TLS: what ends it and hands on what it hears, and its certificate."""

import asyncio
import datetime
import ipaddress
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAMES = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
)
USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    **dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    ),
)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that signs itself; return its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    public = key.public_key()
    builder = x509.CertificateBuilder(name, name, public, x509.random_serial_number())
    builder = builder.not_valid_before(now - day).not_valid_after(now + day)
    for extension, critical in (
        (NAMES, False),
        (USAGE, True),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
    ):
        builder = builder.add_extension(extension, critical)
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    signed = builder.sign(key, hashes.SHA256())
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


@contextmanager
def behind_tls(port: int, certificate: tuple[Path, Path]) -> Iterator[int]:
    """Yield the port of a TLS that leads to `port`; clients need the certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate[0])
    context.load_cert_chain(*certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    opened: queue.Queue[tuple[int, Callable[[], object]]] = queue.Queue()
    thread = threading.Thread(target=asyncio.run, args=[_serve(port, context, opened)])
    thread.start()
    own, stop = opened.get()
    try:
        yield own
    finally:
        stop()
        thread.join()


async def _serve(
    port: int,
    context: ssl.SSLContext,
    opened: queue.Queue[tuple[int, Callable[[], object]]],
) -> None:
    """Serve until told to stop; put the port and what stops it."""

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, outer), _pump(inner, writer))

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    own = server.sockets[0].getsockname()[1]
    opened.put((own, lambda: loop.call_soon_threadsafe(end.set)))
    await end.wait()
    server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
