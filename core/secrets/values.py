"""Arguments that nobody may read: encrypted in the row and on the wire.

A parameter annotated `Secret[str]` takes a plain value, and the body gets it plain; in
between it is `{"$secret": "..."}`. SECRET_KEY encrypts, SECRET_KEY_FALLBACKS decrypt
what older keys have encrypted.
"""

import base64
import hashlib
import inspect
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from inspect import Parameter
from itertools import repeat
from types import SimpleNamespace
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from core.secrets.redaction import STARS

T = TypeVar("T")

MARK = "switchyard secret"
#: `Secret[str]` is `str` to a type checker.
Secret = Annotated[T, MARK]
#: The only key of an encrypted argument.
KEY = "$secret"


def names_of(fn: Callable[..., Any]) -> frozenset[str]:
    """Return the parameters of a function that are annotated as secret.

    Also where only a part is, as in `Secret[str] | None`: the whole is encrypted.
    """
    annotations = inspect.get_annotations(fn)
    return frozenset(
        name for name, hint in annotations.items() if _is_secret(_read(fn, hint))
    )


def _read(fn: Callable[..., Any], hint: Any) -> Any:
    """Return an annotation as what it means, or as the text that it is."""
    known = getattr(inspect.unwrap(fn), "__globals__", {})
    one = SimpleNamespace(__annotations__={"one": hint})
    try:
        return get_type_hints(one, known, include_extras=True)["one"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return hint  # there are names for type checkers alone


def _is_secret(hint: Any) -> bool:
    if isinstance(hint, str):
        return "Secret[" in hint
    marks = getattr(hint, "__metadata__", ())
    return MARK in marks or any(_is_secret(part) for part in get_args(hint))


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    def derived(key: str) -> Fernet:
        digest = hashlib.sha256(f"switchyard.secret:{key}".encode()).digest()
        return Fernet(base64.urlsafe_b64encode(digest))

    return MultiFernet([derived(key) for key in keys])


def encrypt(value: Any) -> dict[str, str]:
    """Return a value as it may lie about."""
    return {KEY: _here().encrypt(json.dumps(value).encode()).decode()}


def decrypt(value: Any) -> Any:
    """Return a value as it was before `encrypt`, any other as it is."""
    if not isinstance(value, dict) or set(value) != {KEY}:
        return value
    return json.loads(_here().decrypt(value[KEY].encode()))


def _here() -> MultiFernet:
    return _cipher((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def values_of(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> list[Any]:
    """Return the secret ones among arguments."""
    found: list[Any] = []
    _each(found.append, fn, names, args, kwargs)
    return found


def opened(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> list[Any]:
    """Return the secret ones among arguments, as they were given."""
    secrets = values_of(fn, names, args, kwargs)
    return [decrypt(value) for value in secrets if _can_open(value)]


def _can_open(value: Any) -> bool:
    try:
        decrypt(value)
    except InvalidToken:
        return False  # its key is forgotten: nobody can show it
    return True


Given = tuple[tuple[Any, ...], dict[str, Any]]


def encrypt_arguments(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    """Return arguments with the secret ones encrypted."""
    return _each(encrypt, fn, names, args, kwargs)


def decrypt_arguments(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    """Return arguments with the secret ones as they were given."""
    return _each(decrypt, fn, names, args, kwargs)


def hide(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    """Return arguments without the secret ones, to compare by."""
    return _each(lambda value: None, fn, names, args, kwargs)


def stars(
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    """Return arguments with stars for the secret ones, to show."""
    return _each(lambda value: STARS, fn, names, args, kwargs)


def _each(
    change: Callable[[Any], Any],
    fn: Callable[..., Any],
    names: Collection[str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Given:
    if not names:
        return tuple(args), dict(kwargs)
    parameters = inspect.signature(fn).parameters
    return (
        tuple(
            change(value) if parameter in names else value
            for parameter, value in zip(_positional(parameters), args, strict=False)
        ),
        {
            name: change(value) if _name(parameters, name) in names else value
            for name, value in kwargs.items()
        },
    )


def _positional(parameters: Mapping[str, Parameter]) -> Iterator[str]:
    """Yield the parameter of each positional argument, without an end."""
    for name, parameter in parameters.items():
        if parameter.kind is Parameter.VAR_POSITIONAL:
            yield from repeat(name)
        if parameter.kind is not Parameter.KEYWORD_ONLY:
            yield name
    yield from repeat("")


def _name(parameters: Mapping[str, Parameter], given: str) -> str:
    """Return the parameter of a keyword argument."""
    if given in parameters:
        return given
    rest = (n for n, p in parameters.items() if p.kind is Parameter.VAR_KEYWORD)
    return next(rest, "")
