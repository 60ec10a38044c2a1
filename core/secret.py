"""Arguments that nobody may read: encrypted in the row and on the wire.

A parameter annotated `Secret[str]` takes a plain value, and the body gets it plain; in
between it is `{"$secret": "..."}`. SECRET_KEY encrypts, SECRET_KEY_FALLBACKS decrypt
what older keys have encrypted.
"""

import base64
import hashlib
import inspect
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_type_hints

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

T = TypeVar("T")

MARK = "switchyard secret"
#: `Secret[str]` is `str` to a type checker.
Secret = Annotated[T, MARK]
#: The only key of an encrypted argument.
KEY = "$secret"


def names_of(fn: Callable[..., Any]) -> frozenset[str]:
    """Return the parameters of a function that are annotated as secret."""
    try:
        hints = get_type_hints(fn, include_extras=True)
    except NameError:
        # A name for type checkers alone; the others are read as they are written.
        hints = inspect.get_annotations(fn)
    return frozenset(
        name
        for name, hint in hints.items()
        if MARK in getattr(hint, "__metadata__", ())
        or (isinstance(hint, str) and "Secret[" in hint)
    )


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    def derived(key: str) -> Fernet:
        digest = hashlib.sha256(f"switchyard.secret:{key}".encode()).digest()
        return Fernet(base64.urlsafe_b64encode(digest))

    return MultiFernet([derived(key) for key in keys])


def _encrypt(value: Any) -> dict[str, str]:
    return {KEY: _here().encrypt(json.dumps(value).encode()).decode()}


def _decrypt(value: Any) -> Any:
    if not isinstance(value, dict) or set(value) != {KEY}:
        return value  # the result of the step before: it was never encrypted
    return json.loads(_here().decrypt(value[KEY].encode()))


def _here() -> MultiFernet:
    return _cipher((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


Given = tuple[tuple[Any, ...], dict[str, Any]]


def seal(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    """Return arguments with the secret ones encrypted."""
    return _each(_encrypt, fn, names, args, kwargs)


def unseal(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    """Return arguments with the secret ones as they were given."""
    return _each(_decrypt, fn, names, args, kwargs)


def hide(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    """Return arguments without the secret ones, to compare by."""
    return _each(lambda value: None, fn, names, args, kwargs)


def _each(
    change: Callable[[Any], Any],
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    if not names:
        return tuple(args), dict(kwargs)
    places = list(inspect.signature(fn).parameters)
    return (
        tuple(
            change(value) if place in names else value
            for place, value in zip([*places, *[""] * len(args)], args, strict=False)
        ),
        {name: change(v) if name in names else v for name, v in kwargs.items()},
    )
