"""The developer's server restarts the workers for the code that changes."""

from pathlib import Path

import core
import shop
from project.management.commands.dev import watched
from tests import conformance


def test_installed_apps_are_watched_and_packages_are_not() -> None:
    folders = watched()
    for module in (core, shop, conformance):
        assert str(Path(str(module.__file__)).parent) in folders
    assert not [folder for folder in folders if "site-packages" in folder]
