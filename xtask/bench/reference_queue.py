"""The reference's side of the queue measurements: its queue runner behind Celery, as its users have it.

    reference_queue.py enqueue|drive PROJECT_HASH STAGE

`drive` puts the tasks into the queue, then lets two workers with two processes each begin; only they are measured.
"""

import contextlib
import json
import os
import subprocess
import sys
import time

from celery import Celery
from encord_agents.tasks import QueueRunner

WORKERS, SLOTS = 2, 2
# An empty variable would count as set.
os.environ.pop("ENCORD_SSH_KEY", None)
app = Celery("reference_queue", broker=os.environ["CELERY_BROKER"], backend=os.environ["CELERY_BACKEND"])
app.conf.worker_hijack_root_logger = False
app.conf.worker_prefetch_multiplier = 1
project, stage_title = sys.argv[-2:] if __name__ == "__main__" else os.environ["REFERENCE_QUEUE"].split(" ", 1)
runner = QueueRunner(project_hash=project)


@app.task(name="agent")
@runner.stage(stage_title)
def agent() -> str:
    time.sleep(0.005)
    return "complete"


def enqueue() -> list:
    """Sends all tasks of the stage."""
    (stage,) = runner.get_agent_stages()
    return [agent.delay(task.model_dump_json()) for task in stage.get_tasks()]


def drive() -> float:
    """Seconds that the workers take for all of them."""
    calls = enqueue()
    # They start on a queue of their own, and are told of the full one when all are ready.
    command = [sys.executable, "-m", "celery", "-A", "reference_queue", "worker", "-Q", "idle"]
    command += ["--concurrency", str(SLOTS), "--loglevel", "ERROR"]
    folder = os.path.dirname(os.path.abspath(__file__))
    environment = {**os.environ, "REFERENCE_QUEUE": f"{project} {stage_title}", "PYTHONPATH": folder}
    workers = [
        subprocess.Popen([*command, "-n", f"w{number}@bench"], env=environment, stdout=subprocess.DEVNULL)
        for number in range(WORKERS)
    ]
    try:
        for _ in range(120):
            if len(app.control.ping(timeout=0.5)) == WORKERS:
                break
        start = time.perf_counter()
        app.control.add_consumer("celery", reply=False)
        for call in calls:
            assert json.loads(call.get(timeout=600))["success"], call.id
        return time.perf_counter() - start
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        # The broker lives longer than a run.
        app.control.purge()
        if sys.argv[1] == "drive":
            seconds = drive()
        else:
            begin = time.perf_counter()
            enqueue()
            seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds}))
