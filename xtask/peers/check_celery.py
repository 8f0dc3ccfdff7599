"""Celery between the real `encord-agents` and our queue handler, in both directions, over a Redis of our own."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
from typing import Callable, Iterator

from encord_agents.tasks.models import TaskCompletionResult

import sandbox
from checks import check, equal
from check_examples import COUNT, PROJECT, many_images

HERE = pathlib.Path(__file__).parent
TASKS = COUNT


@contextlib.contextmanager
def redis(folder: pathlib.Path) -> Iterator[str]:
    """A Redis that keeps nothing; gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=20)


def environment(broker: str, stage: str) -> dict[str, str]:
    """What `celery_agent` reads."""
    return {"CELERY_BROKER": broker, "CELERY_PROJECT": PROJECT, "CELERY_STAGE": stage, "CELERY_PATHWAY": "complete"}


def completions(lines: list[str]) -> list[TaskCompletionResult]:
    """The answers as the model of the real package reads them."""
    results = [TaskCompletionResult.model_validate_json(line) for line in lines]
    equal({result.success for result in results}, {True}, "success")
    equal({result.error for result in results}, {None}, "errors")
    equal(len({result.task_uuid for result in results}), TASKS, "tasks answered")
    return results


def moved_once(box) -> None:
    """Every task was moved once, with its label row saved."""
    state = box.own("GET", f"state/projects/{PROJECT}")
    equal(state["tasks_per_stage"], {"Agent 1": 0, "Complete": TASKS}, "tasks per stage")
    equal({task["moved"] for task in state["tasks"]}, {1}, "moves per task")
    equal({row["saves"] for row in state["rows"]}, {1}, "saves per row")


def celery_check(name: str) -> Callable:
    """Registers a check that gets a sandbox and the URL of a broker; says so where there is no broker."""

    def register(function: Callable) -> Callable:
        if shutil.which("redis-server") is None:
            print(f"LEFT OUT  {name}: no redis-server; `cargo xtask setup` installs it", flush=True)
            return function

        @check(name, seed=many_images)
        def with_broker(box) -> None:
            with redis(box.folder) as broker:
                function(box, broker)

        return function

    return register


@celery_check("celery: a Python producer, a Rust worker")
def python_to_rust(box, broker: str) -> None:
    script = "import json, celery_agent as a\n" \
        "(stage,) = a.runner.get_agent_stages()\n" \
        "calls = [a.agent.delay(task.model_dump_json()) for task in stage.get_tasks()]\n" \
        "print(json.dumps([call.get(timeout=100) for call in calls]))\n"
    worker = [sandbox.program("celery_worker"), "--project-hash", PROJECT, "--broker", broker, "--tasks", str(TASKS)]
    rust = subprocess.Popen(worker, stdout=subprocess.PIPE, text=True)
    try:
        variables = {**os.environ, **environment(broker, "Agent 1"), "PYTHONPATH": str(HERE)}
        producer = subprocess.run(
            [sys.executable, "-c", script], env=variables, capture_output=True, text=True, timeout=120
        )
        equal(producer.returncode, 0, f"exit code of the producer ({producer.stderr[-1000:]})")
        completions(json.loads(producer.stdout.splitlines()[-1]))
        equal(rust.communicate(timeout=60)[0], f"{TASKS} tasks answered\n", "what the worker says")
    finally:
        rust.kill()
    moved_once(box)


@celery_check("celery: a Rust producer, a Python worker")
def rust_to_python(box, broker: str) -> None:
    variables = {**os.environ, **environment(broker, "Agent 1"), "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-m", "celery", "-A", "celery_agent", "worker", "--pool", "solo", "--loglevel", "ERROR"]
    with open(box.folder / "celery.log", "wb") as log:
        worker = subprocess.Popen(command, env=variables, stdout=log, stderr=log, cwd=box.folder)
        try:
            arguments = ("--project-hash", PROJECT, "--broker", broker, "--task", "agent")
            completions(box.run("celery_producer", *arguments).splitlines())
        finally:
            worker.terminate()
            try:
                worker.wait(timeout=20)
            except subprocess.TimeoutExpired:
                worker.kill()
    moved_once(box)
