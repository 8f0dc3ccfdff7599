"""What a measured command needs around it: a fresh sandbox."""

import contextlib
import json
import pathlib
import subprocess
import tempfile
from typing import Iterator


@contextlib.contextmanager
def sandbox(programs: pathlib.Path, work: pathlib.Path, seed: dict) -> Iterator[dict[str, str]]:
    """Starts a sandbox from a seed; gives the environment variables that lead to it."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        file, key = pathlib.Path(folder) / "seed.json", pathlib.Path(folder) / "key"
        file.write_text(json.dumps(seed))
        command = [programs / "encord-sandbox", "serve", "--seed", file, "--key-out", key]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = json.loads(process.stdout.readline())["url"]
            yield {"ENCORD_DOMAIN": url, "ENCORD_SSH_KEY_FILE": str(key), "ENCORD_SSH_KEY": ""}
        finally:
            process.terminate()
            process.wait()


def seed(project: str, stage: str, items: list[dict]) -> dict:
    """A seed of one project with one agent stage."""
    done = "be000000-0000-4000-8000-000000000003"
    pathways = [{"name": "complete", "destination": done}]
    ontology, template, dataset = (f"be000000-0000-4000-8000-00000000000{number}" for number in (4, 5, 6))
    structure = {"objects": [], "classifications": []}
    stages = [
        {"type": "AGENT", "title": stage, "pathways": pathways},
        {"uuid": done, "type": "DONE", "title": "Complete"},
    ]
    links = {"ontology": ontology, "workflow_template": template, "datasets": [dataset]}
    return {
        "ontologies": [{"ontology_hash": ontology, "title": "Nothing", "structure": structure}],
        "workflow_templates": [{"template_hash": template, "title": "One stage", "stages": stages}],
        "datasets": [{"dataset_hash": dataset, "title": "Data", "items": items}],
        "projects": [{"project_hash": project, "title": "Benchmark", **links}],
    }
