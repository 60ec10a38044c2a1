"""docs/how-to/install.md, followed word by word in a project of one's own."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.server import stop
from tests.services.valkey import Valkey
from tests.services.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "install.md"
BLOCK = re.compile(r"```python\n# (\S+)\n(.*?)```", re.S)
CELERY, REDIS = "backends.celery.CeleryBackend", "redis://localhost:6379/0"
BACKENDS = {"celery": CELERY, "dramatiq": "backends.dramatiq.DramatiqBackend"}
URLS = """
from django.urls import path
from orders.views import order
urlpatterns = [path("order", order)]
"""
SEND = """
from django.test import Client
print(Client(headers={"host": "localhost"}).get("/order").json()["task"])
"""


@dataclass(frozen=True)
class Own:
    """A project that knows of Switchyard what its wheel has installed."""

    python: Path
    folder: Path

    def run(self, *arguments: str) -> str:
        """Run Python in the project; return what it printed."""
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def manage(self, *arguments: str) -> str:
        """Run manage.py."""
        return self.run("manage.py", *arguments)


def _environment() -> dict[str, str]:
    """Leave out what the tests of this project have set."""
    ours = ("DJANGO_SETTINGS_MODULE", "PYTHONPATH", "DATABASE_URL", "BROKER_URL")
    return {name: value for name, value in os.environ.items() if name not in ours}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; what it depends on is this environment's."""
    folder = tmp_path_factory.mktemp("own")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    offline = ["--no-build-isolation", "--no-index", f"--wheel-dir={folder}"]
    source = folder / "source"
    for part in ("core", "backends", "pyproject.toml", "README.md", "LICENSE"):
        _copy(ROOT / part, source / part)
    subprocess.run([*wheel, *offline, str(source)], check=True)
    (built,) = folder.glob("*.whl")
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--no-index", str(built)], check=True)
    packages = next((folder / "venv").glob("lib/*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


def _copy(source: Path, target: Path) -> None:
    """Copy what git would; a build leaves folders beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)


@pytest.fixture(params=BACKENDS)
def own(
    request: pytest.FixtureRequest, python: Path, valkey: Valkey, tmp_path: Path
) -> Own:
    """A project as the page says, on each engine."""
    project = Own(python, tmp_path)
    project.run("-m", "django", "startproject", "mine", ".")
    project.manage("startapp", "orders")
    settings = tmp_path / "mine" / "settings.py"
    for file, code in BLOCK.findall(PAGE.read_text()):
        target = settings if file == "settings.py" else tmp_path / file
        with target.open("a" if target == settings else "w") as out:
            out.write(f"\n{code}")
    text = settings.read_text() + '\nINSTALLED_APPS += ["orders"]\n'
    assert CELERY in text
    assert REDIS in text
    text = text.replace(CELERY, BACKENDS[request.param]).replace(REDIS, valkey.url)
    settings.write_text(f"{text}BROKERS['default']['NAMESPACE'] = '{tmp_path.name}'\n")
    (tmp_path / "mine" / "urls.py").write_text(URLS)
    return project


@pytest.fixture
def _worker(own: Own) -> Iterator[None]:
    own.manage("migrate", "--verbosity=0")
    worker = [str(own.python), "manage.py", "worker", "--processes=1"]
    log = own.folder / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            worker,
            cwd=own.folder,
            env=_environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        stop(process, 40)


@pytest.mark.usefixtures("_worker")
def test_task_of_a_project_of_ones_own_runs(own: Own) -> None:
    assert "no issues" in own.manage("check")
    assert own.run("-c", "import core; print(core.__file__)").startswith(
        str(own.python.parents[1])
    )
    task = own.manage("shell", "-c", SEND).split()[-1]
    wait_for(
        lambda: "succeeded" in own.manage("tasks", "runs", "--search", task),
        60 * PATIENCE,
        "the task has succeeded",
    )
    log = (own.folder / "worker.log").read_text()
    assert "The receipt of order 7 is on its way." in log
    assert "0 of 4 threads busy" in own.manage("tasks", "top")


@pytest.mark.parametrize(
    "files", [["__init__.py"], ["__init__.py", "apps.py"]], ids=str
)
def test_package_that_hides_core_is_named(
    python: Path, tmp_path: Path, files: list[str]
) -> None:
    project = Own(python, tmp_path)
    project.run("-m", "django", "startproject", "mine", ".")
    (tmp_path / "core").mkdir()
    for name in files:
        (tmp_path / "core" / name).touch()
    with (tmp_path / "mine" / "settings.py").open("a") as settings:
        settings.write('\nINSTALLED_APPS += ["backends.apps.Switchyard"]\n')
    with pytest.raises(AssertionError, match="rename that one") as refused:
        project.manage("check")
    assert str(tmp_path / "core") in str(refused.value)


def test_wheel_has_templates_and_static_files(python: Path) -> None:
    (packages,) = python.parents[1].glob("lib/*/site-packages")
    files = {
        file.relative_to(ROOT)
        for folder in ("core", "backends")
        for file in (ROOT / folder).rglob("*.*")
        if file.suffix not in (".py", ".pyc")
    }
    assert len(files) > 5
    assert [file for file in files if not (packages / file).exists()] == []
