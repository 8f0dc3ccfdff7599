"""A Celery application as users of `encord-agents` write it: an agent behind a queue runner behind a Celery task.

Where its broker, project and stage are comes from the environment. Both the producer and the worker import it.
"""

import os

from celery import Celery
from encord.workflow.stages.agent import AgentTask
from encord.objects.ontology_labels_impl import LabelRowV2
from encord_agents.tasks import QueueRunner

app = Celery("agents", broker=os.environ["CELERY_BROKER"], backend=os.environ["CELERY_BROKER"])
app.conf.worker_hijack_root_logger = False
runner = QueueRunner(project_hash=os.environ["CELERY_PROJECT"])


@app.task(name="agent")
@runner.stage(os.environ["CELERY_STAGE"])
def agent(task: AgentTask, row: LabelRowV2) -> str:
    assert str(task.data_hash) == row.data_hash
    row.save()
    return os.environ["CELERY_PATHWAY"]
