"""Faults on demand, and the counters that show how the real packages take them."""

import urllib.error
import urllib.request

import requests
from encord.exceptions import EncordException, InvalidArgumentsError, RateLimitExceededError
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.storage import StorageItem
from encord_agents.tasks import Runner

import sandbox
from checks import check, equal, raises

GET_PROJECT = "GET /v2/public/projects/{project}"
ACTIONS = "POST */actions"


def _rules(box, *rules: dict) -> None:
    box.own("PUT", "faults", {"seed": 7, "rules": list(rules)})
    box.own("POST", "reset-counters")


def _statuses(box, endpoint: str) -> dict[str, int]:
    return box.own("GET", "requests")["endpoints"][endpoint]["statuses"]


def _counts(box) -> dict[str, int]:
    return box.own("GET", f"state/projects/{sandbox.PROJECT}")["tasks_per_stage"]


def _first_task(box):
    return next(iter(box.project().workflow.get_stage(uuid=sandbox.FIND_STAGE).get_tasks()))


@check("faults: the client asks again after 503")
def unavailable(box) -> None:
    client = box.client()
    _rules(box, {"endpoint": GET_PROJECT, "times": 1, "status": 503})
    equal(client.get_project(sandbox.PROJECT).title, "Samples, one after another", "title")
    equal(_statuses(box, GET_PROJECT), {"200": 1, "503": 1}, "statuses")


@check("faults: a status that is not asked again reaches the caller")
def refused(box) -> None:
    client = box.client()
    _rules(box, {"endpoint": GET_PROJECT, "times": 1, "status": 400})
    raises(InvalidArgumentsError, lambda: client.get_project(sandbox.PROJECT), "status 400")
    equal(_statuses(box, GET_PROJECT), {"400": 1}, "statuses")
    equal(client.get_project(sandbox.PROJECT).project_hash, sandbox.PROJECT, "project afterwards")


@check("faults: a limit that stays is told as such")
def rate_limit(box) -> None:
    client = box.client()
    # The client waits a second between its four attempts, as it is told to.
    _rules(box, {"endpoint": GET_PROJECT, "status": 429, "retry_after": 1})
    raises(RateLimitExceededError, lambda: client.get_project(sandbox.PROJECT), "status 429")
    equal(_statuses(box, GET_PROJECT), {"429": 4}, "statuses of all attempts")


@check("faults: error codes of the older generation become its exceptions")
def older_codes(box) -> None:
    project = box.project()
    _rules(box, {"endpoint": "POST /public labelrowmetadata GET", "times": 1, "code": "RATE_LIMIT_ERROR"})
    raises(RateLimitExceededError, project.list_label_rows_v2, "the code of a limit")
    equal(len(project.list_label_rows_v2()), 11, "rows afterwards")


@check("faults: an answer lost after the effect was done once only")
def lost_answer(box) -> None:
    task = _first_task(box)
    _rules(box, {"endpoint": ACTIONS, "times": 1, "drop": "after"})
    # The transport asks again by itself, and is told that the task has left.
    raises(InvalidArgumentsError, lambda: task.proceed(pathway_name="found"), "the second request")
    equal((_counts(box)["Find things"], _counts(box)["Rank"]), (10, 1), "tasks")
    (moved,) = [one for one in box.own("GET", f"state/projects/{sandbox.PROJECT}")["tasks"] if one["moved"]]
    equal((moved["data_title"], moved["moved"]), (task.data_title, 1), "moves")


@check("faults: a connection dropped before the effect leaves nothing done until asked again")
def dropped(box) -> None:
    task = _first_task(box)
    _rules(box, {"endpoint": ACTIONS, "times": 1, "drop": "before"})
    task.proceed(pathway_name="found")
    equal((_counts(box)["Find things"], _counts(box)["Rank"]), (10, 1), "tasks")


@check("faults: truncated answers, web pages and expired links are errors")
def broken_answers(box) -> None:
    client = box.client()
    item = next(one for one in client.find_storage_items(search="street", get_signed_urls=True))
    _rules(box, {"endpoint": GET_PROJECT, "times": 1, "status": 504, "html": True})
    raises(EncordException, lambda: client.get_project(sandbox.PROJECT), "a web page")
    _rules(box, {"endpoint": "GET /_blobs/*", "times": 1, "expired": True})
    link = item.get_signed_url()
    error = raises(urllib.error.HTTPError, lambda: urllib.request.urlopen(link, timeout=30), "an expired link")
    equal(error.code, 403, "status of an expired link")
    _rules(box, {"endpoint": "GET /_blobs/*", "times": 1, "truncate": True})
    raises(requests.exceptions.RequestException, lambda: requests.get(link, timeout=30), "half a file")
    whole = (sandbox.samples() / "street.jpg").read_bytes()
    equal(requests.get(link, timeout=30).content, whole, "the file afterwards")


@check("faults: the runner finishes although requests of every kind fail once")
def runner(box) -> None:
    runner = Runner(project_hash=sandbox.PROJECT)

    @runner.stage("Find things")
    def find(row: LabelRowV2, item: StorageItem) -> str:
        return "found"

    endpoints = ["GET */tasks", "POST /public labelrowmetadata GET", "POST */storage/items/get-bulk", ACTIONS]
    _rules(box, *({"endpoint": endpoint, "times": 1, "status": 503} for endpoint in endpoints))
    runner()
    equal((_counts(box)["Find things"], _counts(box)["Rank"]), (0, 11), "tasks")
    equal(box.own("GET", "requests")["total"]["statuses"]["503"], len(endpoints), "requests that failed")


@check("faults: counters and journal tell what was done")
def counters(box) -> None:
    project = box.project()
    box.own("POST", "reset-counters")
    project.list_label_rows_v2()
    _first_task(box).proceed(pathway_name="found")
    seen = box.own("GET", "requests")
    equal(seen["endpoints"]["POST /public labelrowmetadata GET"]["count"], 1, "listings")
    equal(seen["total"]["count"], sum(one["count"] for one in seen["endpoints"].values()), "sum")
    assert seen["total"]["bytes_out"] > 1000, seen["total"]
    (effect,) = box.own("GET", "journal")["effects"]
    equal((effect["effect"], effect["user"]), ("move", "sandbox@example.org"), "effect")
