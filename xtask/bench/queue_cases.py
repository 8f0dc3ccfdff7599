"""Queues: workers against the ideal time, producers, what the engine itself costs, and whether size matters.

The reference has no queue; its users have Celery. Ours run on a file and on a NATS server, theirs on Redis, all on the
same kind of sandbox.
"""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import Callable, ContextManager, Iterator

from measure import Case

HERE = pathlib.Path(__file__).parent
SECONDS_PER_TASK = 0.005
SLOTS = 4


def cases(
    programs: pathlib.Path,
    work: pathlib.Path,
    quick: bool,
    sandbox: Callable[[int], ContextManager[dict[str, str]]],
    project: str,
    stage: str,
) -> Iterator[Case]:
    """The measurements of both engines. `sandbox` starts one with so many tasks."""
    count, many = (400, 10_000) if quick else (2000, 100_000)
    ours = programs / "bench_queue"
    celery = [sys.executable, HERE / "reference_queue.py"]
    ideal = [sys.executable, "-c", f"print('{{\"seconds\": {count * SECONDS_PER_TASK / SLOTS}}}')"]

    def surroundings(tasks: int, engine: str):
        @contextlib.contextmanager
        def start() -> Iterator[dict[str, str]]:
            with contextlib.ExitStack() as stack:
                folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
                variables = stack.enter_context(sandbox(tasks)) if tasks else {}
                variables = variables | {"QUEUE": str(folder / "queue.db")}
                if engine == "nats":
                    variables["QUEUE"] = stack.enter_context(nats(folder))
                if tasks and shutil.which("redis-server"):
                    variables["CELERY_BROKER"] = stack.enter_context(redis(folder))
                yield variables

        return start

    for engine in ("file", "nats"):
        if engine == "nats" and nats_program() is None:
            print("LEFT OUT  queue on nats: no nats-server; `cargo xtask setup` installs it", flush=True)
            continue
        theirs = shutil.which("redis-server") is not None

        def sides(action: str) -> dict[str, list]:
            words = [project, stage]
            found = {"ours": [ours, action, "$QUEUE", *words]}
            return found | ({"theirs": [*celery, action, *words]} if theirs else {})

        name = f"queue work {count} tasks {engine}"
        yield Case(name, sides("drive") | {"floor": ideal}, surroundings(count, engine), goal_floor=0.9)
        yield Case(f"queue enqueue {count} tasks {engine}", sides("enqueue"), surroundings(count, engine))
        few = {"floor": [ours, "handover", "$QUEUE", "2000", "1000"]}
        full = {"ours": [ours, "handover", "$QUEUE", str(many), "1000"]}
        yield Case(f"queue 1000 of {many} {engine}", full | few, surroundings(0, engine))


def nats_program() -> str | None:
    """The server that `cargo xtask setup` unpacked, or an installed one."""
    unpacked = HERE.parent.parent / "target/nats-server/usr/sbin/nats-server"
    return str(unpacked) if unpacked.is_file() else shutil.which("nats-server")


@contextlib.contextmanager
def nats(folder: pathlib.Path) -> Iterator[str]:
    """A server that writes every message through to the disk before it confirms it."""
    port = free_port()
    settings = folder / "nats.conf"
    settings.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}/store", sync_interval: always }}\n'
    )
    with serving([nats_program(), "-c", settings], port):
        yield f"nats://127.0.0.1:{port}"


@contextlib.contextmanager
def redis(folder: pathlib.Path) -> Iterator[str]:
    """A server that keeps nothing."""
    port = free_port()
    with serving(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", ""], port):
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def serving(command: list, port: int) -> Iterator[None]:
    """Runs a server once it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
