"""`python -m core.testing.worker --databases '{"default": "test_shop"}' worker ...`

The rest of the line is manage.py's. Django renames the databases while it tests, and a
test has a namespace of its own at its broker; this process takes the names that it is
told, and hands them on to its children.
"""

import json
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Sequence

from django.conf import settings
from django.core.management import execute_from_command_line

#: Hold the names for the children: the supervisor does not repeat our options.
DATABASES = "SWITCHYARD_TEST_DATABASES"
NAMESPACES = "SWITCHYARD_TEST_NAMESPACES"


def main(line: Sequence[str]) -> None:
    """Run a command of manage.py on the test databases."""
    parser = ArgumentParser(allow_abbrev=False)
    parser.add_argument("--databases", help="their names by alias, as JSON")
    parser.add_argument("--namespaces", default="{}", help="of BROKERS, likewise")
    given, command = parser.parse_known_args(line)
    if given.databases is not None:
        os.environ[DATABASES] = given.databases
        os.environ[NAMESPACES] = given.namespaces
        watch = threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True)
        watch.start()
    for alias, name in json.loads(os.environ[DATABASES]).items():
        settings.DATABASES[alias]["NAME"] = name
    for alias, name in json.loads(os.environ[NAMESPACES]).items():
        settings.BROKERS[alias] = {**settings.BROKERS[alias], "NAMESPACE": name}
    execute_from_command_line([sys.argv[0], *command])


def _end_with(parent: int) -> None:
    """Stop when the test's process is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
