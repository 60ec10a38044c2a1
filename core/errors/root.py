"""The root of all errors."""


class CoreError(Exception):
    """The root of everything core raises."""
