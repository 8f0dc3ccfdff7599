"""Queues: workers against the ideal time, producers, what the engine itself costs, and whether size matters.

The reference has no queue; its users have Celery. Ours run on a file and on a NATS server, theirs on RabbitMQ (on Redis
where that is not installed), all on the same kind of sandbox.
"""

import contextlib
import os
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
# Debian's own script around this one wants to be run by a certain user.
RABBITMQ = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def cases(
    programs: pathlib.Path,
    work: pathlib.Path,
    quick: bool,
    sandbox: Callable[[int], ContextManager[dict[str, str]]],
    project: str,
    stage: str,
) -> Iterator[Case]:
    """The measurements of both engines. `sandbox` starts one with so many tasks."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
        yield from of_engines(programs, work, quick, sandbox, project, stage, celery(stack, folder))


def of_engines(
    programs: pathlib.Path,
    work: pathlib.Path,
    quick: bool,
    sandbox: Callable[[int], ContextManager[dict[str, str]]],
    project: str,
    stage: str,
    theirs: dict[str, str],
) -> Iterator[Case]:
    """The same; `theirs` are the variables by which Celery finds its broker, if there is one."""
    count, many = (400, 10_000) if quick else (2000, 100_000)
    ours = programs / "bench_queue"
    reference = [sys.executable, HERE / "reference_queue.py"]
    ideal = [sys.executable, "-c", f"print('{{\"seconds\": {count * SECONDS_PER_TASK / SLOTS}}}')"]

    def surroundings(tasks: int, engine: str):
        @contextlib.contextmanager
        def start() -> Iterator[dict[str, str]]:
            with contextlib.ExitStack() as stack:
                folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
                variables = stack.enter_context(sandbox(tasks)) if tasks else {}
                variables = variables | theirs | {"QUEUE": str(folder / "queue.db")}
                if engine == "nats":
                    variables["QUEUE"] = stack.enter_context(nats(folder))
                yield variables

        return start

    for engine in ("file", "nats"):
        if engine == "nats" and nats_program() is None:
            print("LEFT OUT  queue on nats: no nats-server; `cargo xtask setup` installs it", flush=True)
            continue

        def sides(action: str) -> dict[str, list]:
            words = [project, stage]
            found = {"ours": [ours, action, "$QUEUE", *words]}
            return found | ({"theirs": [*reference, action, *words]} if theirs else {})

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


def celery(stack: contextlib.ExitStack, folder: pathlib.Path) -> dict[str, str]:
    """Starts a broker for Celery that lives as long as the stack; says how Celery finds it and its results."""
    if RABBITMQ.is_file():
        print("theirs: Celery on RabbitMQ", flush=True)
        return {"CELERY_BROKER": stack.enter_context(rabbitmq(folder)), "CELERY_BACKEND": "rpc://"}
    if shutil.which("redis-server"):
        print("theirs: Celery on Redis, because there is no RabbitMQ (`cargo xtask setup`)", flush=True)
        broker = stack.enter_context(redis(folder))
        return {"CELERY_BROKER": broker, "CELERY_BACKEND": broker}
    print("LEFT OUT  Celery: no broker; `cargo xtask setup` installs one", flush=True)
    return {}


@contextlib.contextmanager
def rabbitmq(folder: pathlib.Path) -> Iterator[str]:
    """A server with ports, a name registry and a home of its own, which does not spin while it has nothing to do."""
    port, names = free_port(), str(free_port())
    settings, plugins = folder / "rabbitmq.conf", folder / "plugins"
    settings.write_text(f"listeners.tcp.local = 127.0.0.1:{port}\n")
    plugins.write_text("[].\n")
    variables = {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": names,
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_NODENAME": f"bench{port}@localhost",
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
    }
    try:
        with serving([RABBITMQ], port, variables):
            yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        # The registry would stay.
        subprocess.run(["epmd", "-port", names, "-kill"], env=variables, capture_output=True)


@contextlib.contextmanager
def redis(folder: pathlib.Path) -> Iterator[str]:
    """A server that keeps nothing."""
    port = free_port()
    with serving(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", ""], port):
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def serving(command: list, port: int, variables: dict[str, str] | None = None) -> Iterator[None]:
    """Runs a server once it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables)
    try:
        for _ in range(1200):
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
