"""Environment variables, read strictly: a mistake stops the start, named."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = environ.Env.BOOLEAN_TRUE_STRINGS
FALSE = ("false", "off", "n", "no", "0")


class Environment(environ.Env):
    """`environ.Env` takes a misspelt boolean for False, and an empty value for one."""

    def get_value(
        self,
        var: str,
        cast: Any = None,
        default: Any = environ.Env.NOTSET,
        parse_default: bool = False,
    ) -> Any:
        """Return a variable's value; every other method reads through this one."""
        written = self.ENVIRON.get(var)
        if written is not None and not written.strip():
            raise ImproperlyConfigured(f"{var} is empty: give it a value, or unset it.")
        if cast is bool and written and written.lower() not in (*TRUE, *FALSE):
            raise ImproperlyConfigured(
                f"{var} is {written!r}; it must be true or false."
            )
        try:
            return super().get_value(var, cast, default, parse_default)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var}: {error}") from error

    def require(self, *names: str) -> None:
        """Raise `ImproperlyConfigured` naming all of these that are not set."""
        missing = [name for name in names if name not in self.ENVIRON]
        if missing:
            raise ImproperlyConfigured(
                f"Set these environment variables: {', '.join(missing)}."
            )


env = Environment()
