"""What a type checker says of sends: a wrong argument is an error at the caller."""

import re
import subprocess
import sys
from pathlib import Path

SNIPPET = """
from datetime import timedelta
from typing_extensions import assert_type

from core import Message, actor, group, pipeline


@actor(max_retries=3)
def pack(order_id: int, *, fragile: bool = False) -> str:
    return str(order_id)


@actor
def tell(name: str) -> None: ...


pack.send(7)
pack.send(7, fragile=True)
pack.send(order_id=7)
pack.send("7")  # E: arg-type
pack.send()  # E: call-arg
pack.send(7, fragil=True)  # E: call-arg
pack.using(delay=timedelta(minutes=5)).send(7)
pack.using(priority=-10).send("7")  # E: arg-type
pack.using(priority=-10).message()  # E: call-arg
pack.message(7, fragile="no")  # E: arg-type
pack("7")  # E: arg-type
tell.send(b"x")  # E: arg-type
assert_type(pack(7), str)
assert_type(pack.send(7), Message[str])
assert_type(pack.send(7).get_result(block=True), str)
assert_type(pack.using(priority=1).send(7).get_result(), str)
pipeline([pack.message(7), tell.message("x")]).run()
(pack.message(7) | tell.message("x")).run()
group(pack.message(n) for n in range(3)).then(tell.message("all")).run()


async def later() -> None:
    assert_type(await pack.asend(7), Message[str])
    await pack.asend("7")  # E: arg-type
    await pack.using(priority=1).asend(None)  # E: arg-type
"""
ROOT = Path(__file__).parents[2]
ERROR = re.compile(r"snippet\.py:(\d+): error: .*\[([a-z-]+)\]")


def test_wrong_argument_is_an_error_for_mypy(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nstrict = True\nfollow_imports = silent\n"
        "ignore_missing_imports = True\n"
    )
    options = ["--config-file", str(tmp_path / "mypy.ini"), "--no-error-summary"]
    told = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(snippet)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    expected = {
        (number, line.partition("# E: ")[2])
        for number, line in enumerate(SNIPPET.splitlines(), 1)
        if "# E: " in line
    }
    found = {(int(line), kind) for line, kind in ERROR.findall(told.stdout)}
    assert found == expected, told.stdout + told.stderr
