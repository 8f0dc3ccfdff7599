"""The reference's side of the runner measurements.

    reference_runner.py PROJECT_HASH STAGE noop|save|assets
    reference_runner.py PROJECT_HASH STAGE twin TWIN_HASH

Times are those of the work, without the start of Python; with a twin, until the first call of the agent.
"""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Annotated

from encord.objects.ontology_labels_impl import LabelRowV2
from encord.storage import StorageItem
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import Twin, dep_asset, dep_twin_label_row
from encord_agents.tasks.models import TaskAgentReturnStruct
from report import report

project, stage, work = sys.argv[1:4]
# An empty variable would count as set.
os.environ.pop("ENCORD_SSH_KEY", None)
start = time.perf_counter(), time.process_time()
first_call = []


def times() -> tuple[float, float]:
    return time.perf_counter() - start[0], time.process_time() - start[1]


with contextlib.redirect_stdout(sys.stderr):
    runner = Runner(project_hash=project)

    if work == "noop":

        @runner.stage(stage)
        def noop() -> str:
            return "complete"

    elif work == "save":

        @runner.stage(stage)
        def save(row: LabelRowV2, item: StorageItem) -> TaskAgentReturnStruct:
            return TaskAgentReturnStruct(pathway="complete", label_row=row, label_row_priority=0.5)

    elif work == "assets":

        @runner.stage(stage)
        def work_on_asset(asset: Annotated[Path, Depends(dep_asset)]) -> str:
            assert asset.stat().st_size > 0
            time.sleep(0.02)
            return "complete"

    else:

        @runner.stage(stage)
        def see_twin(twin: Annotated[Twin, Depends(dep_twin_label_row(sys.argv[4]))]) -> str:
            if not first_call:
                first_call.append(times())
            assert twin.label_row.is_labelling_initialised
            return "complete"

    runner()
    seconds, cpu = first_call[0] if first_call else times()
report(seconds, cpu)
