"""The app to install: Switchyard, if the package `core` that Python finds is its own.

INSTALLED_APPS += ["backends.apps.Switchyard"]
"""

from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

OURS = Path(__file__).parents[1] / "core"


def _found() -> Path:
    """Return the folder of the package that is imported as `core`."""
    spec = find_spec("core")
    if spec is None:
        raise ImproperlyConfigured(f"{OURS} is not on sys.path: install Switchyard.")
    folders = spec.submodule_search_locations
    return Path(folders[0] if folders else str(spec.origin))


def _check_core() -> None:
    """Raise `ImproperlyConfigured` if a package of the project hides ours."""
    found = _found()
    if found.resolve() != OURS.resolve():
        raise ImproperlyConfigured(
            f"Switchyard is the package core in {OURS}, but Python finds {found} under"
            " that name: rename that one, or take its folder from sys.path."
        )


_check_core()

from core.apps import CoreConfig  # noqa: E402  # not before the check


class Switchyard(CoreConfig):
    """`core.apps.CoreConfig`, which may be installed by that name as well."""
