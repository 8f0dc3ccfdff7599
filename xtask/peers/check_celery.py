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
from redis import Redis

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


@contextlib.contextmanager
def rust_worker(broker: str, tasks: int) -> Iterator[subprocess.Popen]:
    """Our worker, which ends after so many tasks."""
    command = [sandbox.program("celery_worker"), "--project-hash", PROJECT, "--broker", broker, "--tasks", str(tasks)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def produce(broker: str, lines: str) -> list:
    """Runs these lines in a Python that has the agent, its stage and all its specs; returns what they call `answers`."""
    script = (
        "import json, celery_agent as a\n"
        "(stage,) = a.runner.get_agent_stages()\n"
        "specs = [task.model_dump_json() for task in stage.get_tasks()]\n"
        f"{lines}\n"
        "print(json.dumps(answers))\n"
    )
    variables = {**os.environ, **environment(broker, "Agent 1"), "PYTHONPATH": str(HERE)}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, timeout=120)
    equal(done.returncode, 0, f"exit code of the producer ({done.stderr[-1000:]})")
    return json.loads(done.stdout.splitlines()[-1])


ONE_BY_ONE = "answers = [call.get(timeout=100) for call in [a.agent.delay(spec) for spec in specs]]"


@celery_check("celery: a Python producer, a Rust worker")
def python_to_rust(box, broker: str) -> None:
    with rust_worker(broker, TASKS) as worker:
        completions(produce(broker, ONE_BY_ONE))
        equal(worker.communicate(timeout=60)[0], f"{TASKS} tasks answered\n", "what the worker says")
    moved_once(box)


@celery_check("celery: a list of tasks in one message, and Python reads the answer")
def batch(box, broker: str) -> None:
    with rust_worker(broker, 1):
        one = "calls = [a.agent.delay('[' + ','.join(specs) + ']')]"
        (answer,) = produce(broker, f"{one}\nanswers = [call.get(timeout=100) for call in calls]")
    result = TaskCompletionResult.model_validate_json(answer)
    equal((len(set(result.success)), len(result.pathway), result.error), (TASKS, TASKS, None), "what Python reads")
    equal(set(result.task_uuid), set(result.success), "tasks")
    equal({task["outcome"] for task in json.loads(answer)["tasks"]}, {"moved"}, "outcomes")
    moved_once(box)


@celery_check("celery: calls for other workers are left to them, and what is no call is put aside")
def foreign(box, broker: str) -> None:
    server = Redis.from_url(broker)
    with rust_worker(broker, TASKS) as worker:
        server.lpush("celery", "nonsense")
        stranger = "stranger = a.app.send_task('somebody.else', args=['hello'])"
        answers = produce(broker, f"{stranger}\n{ONE_BY_ONE}\nanswers.append(stranger.status)")
        equal(answers.pop(), "PENDING", "state of the foreign call")
        completions(answers)
        equal(worker.communicate(timeout=60)[0], f"{TASKS} tasks answered\n", "what the worker says")
    equal(server.lrange("celery.unreadable", 0, -1), [b"nonsense"], "what was put aside")
    left = server.lrange("celery", 0, -1) + server.lrange("celery.in-hand", 0, -1)
    equal([json.loads(call)["headers"]["task"] for call in left], ["somebody.else"], "calls left")
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
