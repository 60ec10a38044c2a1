"""BROKERS from the environment: which engine, on which broker."""

import hashlib
import tempfile
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

#: TASK_BACKEND -> the adapter.
BACKENDS = {
    "celery": "backends.celery.CeleryBackend",
    "dramatiq": "backends.dramatiq.DramatiqBackend",
    "database": "backends.database.DatabaseBackend",
    "inprocess": "backends.inprocess.InProcessBackend",
}
#: The longest path of a unix socket, in bytes, on the strictest system (macOS).
LONGEST_SOCKET = 103


def backend(name: str) -> str:
    """Return the adapter that TASK_BACKEND names."""
    if name not in BACKENDS:
        raise ImproperlyConfigured(
            f"TASK_BACKEND is {name!r}; it must be one of {', '.join(BACKENDS)}."
        )
    return BACKENDS[name]


def needs_broker(name: str) -> bool:
    """Return True if what TASK_BACKEND names has a broker to reach."""
    return name not in ("database", "inprocess")


def embedded_socket(var: Path) -> Path:
    """Return where the embedded Valkey listens: in var/, if its path is short enough.

    Otherwise in a folder of the system's temporary one, named after the project.
    """
    socket = var / "valkey" / "valkey.sock"
    if len(str(socket).encode()) <= LONGEST_SOCKET:
        return socket
    name = hashlib.sha256(str(var).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"switchyard-{name}" / "valkey.sock"


def embedded_url(var: Path) -> str:
    """Return the URL of the embedded Valkey."""
    return f"unix://{quote(str(embedded_socket(var)))}?db=0"
