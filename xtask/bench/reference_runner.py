"""The reference's side of the runner measurements.

    reference_runner.py PROJECT_HASH STAGE noop|save
"""

import contextlib
import os
import sys
import time

from encord.objects.ontology_labels_impl import LabelRowV2
from encord.storage import StorageItem
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct
from report import report

project, stage, work = sys.argv[1:4]
# An empty variable would count as set.
os.environ.pop("ENCORD_SSH_KEY", None)
with contextlib.redirect_stdout(sys.stderr):
    start = time.perf_counter()
    runner = Runner(project_hash=project)

    if work == "noop":

        @runner.stage(stage)
        def noop() -> str:
            return "complete"

    else:

        @runner.stage(stage)
        def save(row: LabelRowV2, item: StorageItem) -> TaskAgentReturnStruct:
            return TaskAgentReturnStruct(pathway="complete", label_row=row, label_row_priority=0.5)

    runner()
    seconds = time.perf_counter() - start
report(seconds)
