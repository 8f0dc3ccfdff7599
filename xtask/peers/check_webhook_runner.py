"""Our `webhook_runner` waits for the sandbox's notice and then works."""

import contextlib
import os
import subprocess
import time
from typing import Iterator
from uuid import UUID

import sandbox
from checks import check, equal

SECRET = "whsec_runner"


@contextlib.contextmanager
def listening(box, secret: str) -> Iterator[str]:
    """The address of a runner that waits, for as long as the block runs."""
    command = [sandbox.program("webhook_runner"), "--project-hash", sandbox.PROJECT, "--listen", "127.0.0.1:0", "--quiet"]
    environment = {**os.environ, "ENCORD_WEBHOOK_SECRET": secret}
    runner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        line = runner.stdout.readline()
        assert line.startswith("listening on "), f"{line!r} {runner.stderr.read() if not line else ''}"
        yield line.split()[-1]
    finally:
        runner.terminate()
        code = runner.wait(timeout=20)
        runner.stdout.close()
        runner.stderr.close()
    equal(code, 0, "exit code after SIGTERM")


def waiting(box, stage: str) -> int:
    """How many tasks are at a stage."""
    return box.own("GET", f"state/projects/{sandbox.PROJECT}")["tasks_per_stage"][stage]


def until_empty(box, stage: str, seconds: float) -> bool:
    """Waits for the stage to be empty."""
    end = time.monotonic() + seconds
    while waiting(box, stage) and time.monotonic() < end:
        time.sleep(0.05)
    return not waiting(box, stage)


@check("examples: webhook_runner works when the platform says that tasks are ready")
def woken(box) -> None:
    with listening(box, SECRET) as url:
        # The first pass empties the stages; then one task comes back by hand.
        for stage in ("Find things", "Rank"):
            assert until_empty(box, stage, 30), f"{stage} is not empty"
        task = back(box)
        time.sleep(0.5)
        equal(waiting(box, "Find things"), 1, "nobody looks for tasks without a notice")
        hook = {"project": sandbox.PROJECT, "stage": sandbox.FIND_STAGE, "url": url, "batch_size": 1}
        box.own("PUT", "webhooks", [{**hook, "secret": "wrong"}])
        assert not until_empty(box, "Find things", 1.5), "a notice with a wrong signature woke the runner"
        box.own("PUT", "webhooks", [{**hook, "secret": SECRET}])
        assert until_empty(box, "Find things", 30), f"task {task} is still there"


def back(box) -> str:
    """Moves one task back to the first stage."""
    stage = box.project().workflow.get_stage(uuid=sandbox.DONE_STAGE)
    task = next(iter(stage.get_tasks()))
    task.move(destination_stage_uuid=UUID(sandbox.FIND_STAGE))
    return str(task.uuid)
