"""Several users: what each may see and do, how the rest is refused, and bearer tokens."""

from datetime import datetime, timedelta
from unittest import mock
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encord.exceptions import AuthenticationError, AuthorisationError, EncordException
from encord.http.v2 import request_signer
from encord.user_client import EncordUserClient
from encord.utilities.project_user import ProjectUserRole
from encord_agents.tasks import Runner

import sandbox
from checks import check, equal, raises

# Fixed, so that the seed and the clients have the same ones.
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
    for number, name in enumerate(("ana", "bob", "eve", "meg", "ann", "rob"), 1)
}


def users() -> dict:
    """The samples with three users: an administrator, a viewer, and one who may see nothing."""
    seed = sandbox.sample_seed()
    openssh = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    seed["users"] = [
        {"email": f"{name}@example.org", "public_key": key.public_key().public_bytes(*openssh).decode()}
        for name, key in KEYS.items()
    ]
    for project in seed["projects"]:
        project["users"] = [
            {"email": "ana@example.org", "role": "admin"},
            {"email": "bob@example.org", "role": "viewer"},
        ]
    for thing in (*seed["datasets"], *seed["ontologies"]):
        thing["users"] = ["ana@example.org"]
    return seed


def _private(name: str) -> str:
    openssh = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH)
    return KEYS[name].private_bytes(*openssh, serialization.NoEncryption()).decode()


def _client(box, name: str) -> EncordUserClient:
    return EncordUserClient.create_with_ssh_private_key(ssh_private_key=_private(name), domain=box.url)


def _refusal(client: EncordUserClient, project_hash: str) -> str:
    """What a user is told about a project, without what is different in every answer."""
    refused = raises(AuthorisationError, lambda: client.get_project(project_hash), "a project of others")
    return str(refused).split(" timestamp=")[0].replace(project_hash, "HASH")


@check("rights: everybody has the role the project gives", seed=users)
def roles(box) -> None:
    equal(_client(box, "ana").get_project(sandbox.PROJECT).user_role, ProjectUserRole.ADMIN, "role of ana")
    listed = {user.user_email for user in _client(box, "ana").get_project(sandbox.PROJECT).list_users()}
    equal(listed, {"ana@example.org", "bob@example.org"}, "users of the project")
    equal(_client(box, "bob").get_project(sandbox.PROJECT).user_role, ProjectUserRole.VIEWER, "role of bob")


@check("rights: projects of others look like projects that do not exist", seed=users)
def others(box) -> None:
    eve = _client(box, "eve")
    equal(list(eve.list_projects()), [], "projects of eve")
    equal(_refusal(eve, sandbox.PROJECT), _refusal(eve, str(uuid4())), "texts of the refusals")


@check("rights: datasets, ontologies, folders and items of others are refused", seed=users)
def other_things(box) -> None:
    ana, eve = _client(box, "ana"), _client(box, "eve")
    (folder,) = ana.list_storage_folders()
    item = next(iter(folder.list_items()))
    raises(AuthorisationError, lambda: eve.get_dataset(sandbox.DATASET), "the dataset")
    raises(EncordException, lambda: eve.get_ontology(sandbox.ONTOLOGY), "the ontology")
    raises(AuthorisationError, lambda: eve.get_storage_folder(folder.uuid), "the folder")
    raises(AuthorisationError, lambda: eve.get_storage_item(item.uuid), "the item")
    equal(ana.get_storage_item(item.uuid).uuid, item.uuid, "the item for its reader")
    equal(eve.get_datasets(), [], "datasets listed")
    equal(eve.get_ontologies(), [], "ontologies listed")
    equal(list(eve.list_storage_folders()), [], "folders listed")
    equal(list(eve.find_storage_items(search="street")), [], "items found")


@check("rights: a viewer reads, and may change nothing", seed=users)
def viewer(box) -> None:
    project = _client(box, "bob").get_project(sandbox.PROJECT)
    rows = project.list_label_rows_v2()
    equal(len(rows), 11, "rows a viewer sees")
    raises(AuthorisationError, lambda: rows[0].set_priority(0.5), "a priority")
    task = next(iter(project.workflow.get_stage(name="Find things").get_tasks()))
    raises(AuthorisationError, lambda: task.proceed(pathway_name="found"), "a move")
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    equal(state["tasks_per_stage"]["Find things"], 11, "tasks that stayed")
    equal({task["priority"] for task in state["tasks"]} & {0.5}, set(), "priorities that were set")


@check("rights: a viewer cannot raise issues, add tags, change the ontology or items, or look at the jobs of others", seed=users)
def viewer_elsewhere(box) -> None:
    ana, bob = _client(box, "ana"), _client(box, "bob")
    project = bob.get_project(sandbox.PROJECT)
    task = next(iter(project.workflow.get_stage(name="Find things").get_tasks()))
    raises(AuthorisationError, lambda: task.issues.add_file_issue("mine", []), "an issue")
    raises(AuthorisationError, lambda: project.add_issue_tags(["mine"]), "an issue tag")
    ontology = bob.get_ontology(sandbox.ONTOLOGY)
    ontology.title = "mine"
    raises(AuthorisationError, ontology.save, "a change of the ontology")
    row = project.list_label_rows_v2(data_title_eq="street.jpg")[0]
    item = bob.get_storage_item(row.backing_item_uuid)
    raises(AuthorisationError, lambda: item.update(name="mine"), "a change of an item")
    folder = ana.create_storage_folder("Ana's")
    folder.upload_image(sandbox.samples() / "plan.png")
    equal(ana.get_storage_item(row.backing_item_uuid).name, "street.jpg", "name of the item")
    raises(AuthorisationError, lambda: bob.get_storage_folder(folder.uuid), "the folder of somebody else")


def staffed() -> dict:
    """People with every role at a workflow of an agent, annotation and review."""
    seed = users()
    stages = [
        {"type": "AGENT", "title": "Sort", "pathways": [{"name": "on", "destination": "Annotate"}]},
        {"type": "ANNOTATION", "title": "Annotate"},
        {"type": "REVIEW", "title": "Review"},
        {"type": "DONE", "title": "Complete"},
    ]
    seed["workflow_templates"] = [{"title": "Staffed", "stages": stages}]
    seed["datasets"] = [{"title": "Images", "items": [{"generate": "image", "count": 2}]}]
    roles = {"ana": "admin", "meg": "team_manager", "ann": "annotator", "rob": "reviewer", "bob": "viewer"}
    seed["projects"] = [
        {
            "project_hash": sandbox.PROJECT,
            "title": "Staffed",
            "ontology": sandbox.ONTOLOGY,
            "workflow_template": "Staffed",
            "datasets": ["Images"],
            "users": [{"email": f"{name}@example.org", "role": role} for name, role in roles.items()],
        }
    ]
    return seed


@check("rights: everybody acts at the stages of their role, and nobody on tasks of others", seed=staffed)
def staff(box) -> None:
    def task(name: str, stage: str):
        project = _client(box, name).get_project(sandbox.PROJECT)
        return next(iter(project.workflow.get_stage(name=stage).get_tasks()))

    for name in ("ann", "rob", "bob"):
        raises(AuthorisationError, lambda: task(name, "Sort").proceed(pathway_name="on"), f"{name} as an agent")
    task("meg", "Sort").proceed(pathway_name="on")
    raises(AuthorisationError, lambda: task("rob", "Annotate").submit(), "a reviewer who annotates")
    raises(AuthorisationError, lambda: task("ann", "Annotate").assign("rob@example.org"), "work for others")
    task("meg", "Annotate").assign("meg@example.org")
    raises(AuthorisationError, lambda: task("ann", "Annotate").submit(), "the task of somebody else")
    task("meg", "Annotate").assign("ann@example.org")
    row = _client(box, "ann").get_project(sandbox.PROJECT).list_label_rows_v2()[0]
    raises(AuthorisationError, lambda: row.set_priority(0.75), "a priority")
    row.initialise_labels()
    row.save()
    raises(AuthorisationError, row.workflow_complete, "past all stages")
    task("ann", "Annotate").submit()
    raises(AuthorisationError, lambda: task("ann", "Review").approve(), "an annotator who reviews")
    task("rob", "Review").approve()
    counts = box.own("GET", f"state/projects/{sandbox.PROJECT}")["tasks_per_stage"]
    equal((counts["Sort"], counts["Complete"]), (1, 1), "tasks")


@check("rights: users are added with a role, see the project, and are removed", seed=users)
def membership(box) -> None:
    project = _client(box, "ana").get_project(sandbox.PROJECT)
    project.add_users(["eve@example.org"], ProjectUserRole.REVIEWER)
    roles = {user.user_email: user.user_role for user in project.list_users()}
    equal(roles.get("eve@example.org"), ProjectUserRole.REVIEWER, "role")
    equal(_client(box, "eve").get_project(sandbox.PROJECT).title, project.title, "project for the new user")
    project.remove_users(["eve@example.org"])
    raises(AuthorisationError, lambda: _client(box, "eve").get_project(sandbox.PROJECT), "after the removal")


@check("rights: a bearer token stands for the key it was asked with", seed=users)
def bearer(box) -> None:
    token = lambda name: _client(box, name).get_bearer_token()
    ana = EncordUserClient.create_with_bearer_token(token("ana"), domain=box.url)
    equal(len(ana.get_project(sandbox.PROJECT).list_label_rows_v2()), 11, "rows, over both generations")
    eve = EncordUserClient.create_with_bearer_token(token("eve"), domain=box.url)
    raises(AuthorisationError, lambda: eve.get_project(sandbox.PROJECT), "a token of another user")
    forged = EncordUserClient.create_with_bearer_token(token("ana") + "x", domain=box.url)
    raises(AuthenticationError, lambda: forged.get_project(sandbox.PROJECT), "a forged token")


@check("rights: the runner of a stranger says that there is no access", seed=users)
def runner(box) -> None:
    box.key_path.write_text(_private("eve"))
    raises(AuthorisationError, lambda: Runner(project_hash=sandbox.PROJECT), "a runner for a project of others")


@check("rights: a request that was signed an hour ago is refused", seed=users)
def old_request(box) -> None:
    ana = _client(box, "ana")
    clock = mock.Mock(wraps=datetime)
    for age, refused in ((timedelta(minutes=1), False), (timedelta(hours=1), True), (timedelta(hours=-1), True)):
        clock.now.return_value = datetime.now() - age
        with mock.patch.object(request_signer, "datetime", clock):
            if refused:
                raises(AuthenticationError, lambda: ana.get_project(sandbox.PROJECT), f"signed {age} ago")
            else:
                equal(ana.get_project(sandbox.PROJECT).project_hash, sandbox.PROJECT, f"signed {age} ago")


def routed() -> dict:
    """Two routers: one looks at who submitted, the other divides what it gets."""
    seed = users()
    stages = [
        {"type": "ANNOTATION", "title": "Annotate"},
        {"type": "USER_ROUTER", "title": "By person", "next": "Divide", "routes": [
            {"destination": "Special", "users": ["bob@example.org"]},
        ]},
        {"type": "PERCENTAGE_ROUTER", "title": "Divide", "routes": [
            {"destination": "Review", "percentage": 50},
            {"destination": "Complete", "percentage": 50},
        ]},
        {"type": "ANNOTATION", "title": "Special", "next": "Complete"},
        {"type": "REVIEW", "title": "Review", "next": "Complete"},
        {"type": "DONE", "title": "Complete"},
    ]  # fmt: skip
    seed["workflow_templates"] = [{"title": "Routed", "stages": stages}]
    seed["datasets"] = [{"title": "Images", "items": [{"generate": "image", "count": 61}]}]
    seed["projects"] = [
        {
            "project_hash": sandbox.PROJECT,
            "title": "Routed",
            "ontology": sandbox.ONTOLOGY,
            "workflow_template": "Routed",
            "datasets": ["Images"],
            "users": [{"email": "ana@example.org"}, {"email": "bob@example.org", "role": "annotator"}],
        }
    ]
    return seed


@check("rights: routers send tasks on by who submitted them, and divide the others", seed=routed)
def routers(box) -> None:
    def annotate(name: str):
        return _client(box, name).get_project(sandbox.PROJECT).workflow.get_stage(name="Annotate")

    counts = lambda: box.own("GET", f"state/projects/{sandbox.PROJECT}")["tasks_per_stage"]
    next(iter(annotate("bob").get_tasks())).submit()
    equal((counts()["Annotate"], counts()["Special"]), (60, 1), "tasks after bob submitted one")
    project = _client(box, "ana").get_project(sandbox.PROJECT)
    with project.create_bundle() as bundle:
        for task in annotate("ana").get_tasks():
            task.submit(bundle=bundle)
    found = counts()
    equal((found["Annotate"], found["Special"]), (0, 1), "tasks after ana submitted the others")
    equal(found["Review"] + found["Complete"], 60, "tasks that were divided")
    assert found["Review"] >= 10 and found["Complete"] >= 10, found
