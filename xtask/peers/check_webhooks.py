"""Task-ready webhooks, received and verified by `encord-agents` itself."""

import contextlib
import datetime
import http.server
import pathlib
import queue
import ssl
import tempfile
import threading
from typing import Iterator
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from encord_agents.core.webhooks import (
    AgentStageWorkReason,
    TaskNotification,
    WebhookVerificationError,
    verify_and_parse_notification,
)
from encord_agents.fastapi import dep_task_notification_with_args, get_encord_app
from fastapi import Depends
from fastapi.testclient import TestClient
from typing_extensions import Annotated

import sandbox
from checks import check, check_alone, equal, raises

SECRET = "whsec_peers"
COUNT = 11


class Receiver:
    """Takes notifications, and answers with these statuses first and with 200 afterwards."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self._received: queue.Queue = queue.Queue()
        self.url = ""

    def take(self, seconds: float = 20.0) -> tuple[bytes, dict[str, str]]:
        """Waits for the next request: its body and its headers."""
        return self._received.get(timeout=seconds)

    def put(self, body: bytes, headers: dict[str, str]) -> int:
        """Keeps a request; returns the status to answer with."""
        status = self.statuses.pop(0) if self.statuses else 200
        self._received.put((body, headers))
        return status


@contextlib.contextmanager
def receiver(*statuses: int, certificate: pathlib.Path | None = None) -> Iterator[Receiver]:
    """An HTTP server on a free port, for as long as the block runs; an encrypted one with a certificate."""
    kept = Receiver(list(statuses))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(kept.put(body, dict(self.headers)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    kept.url = f"{'https' if certificate else 'http'}://localhost:{server.server_port}/ready"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _watch(box, stage: str, url: str, **settings) -> None:
    """Registers the receiver for a stage of the sample project."""
    webhook = {"project": sandbox.PROJECT, "stage": stage, "url": url, "secret": SECRET, **settings}
    box.own("PUT", "webhooks", [webhook])


def _find_stage(box):
    return box.project().workflow.get_stage(uuid=sandbox.FIND_STAGE)


@check("webhooks: waiting tasks are announced, and the announcement is from whom it says")
def announced(box) -> None:
    with receiver() as kept:
        _watch(box, sandbox.FIND_STAGE, kept.url, batch_size=COUNT)
        body, headers = kept.take()
    notification = verify_and_parse_notification(body, headers, secret=SECRET)
    equal(notification.project_hash, UUID(sandbox.PROJECT), "project")
    equal(notification.stage_uuid, UUID(sandbox.FIND_STAGE), "stage")
    found = (notification.pending_count, notification.reason)
    equal(found, (COUNT, AgentStageWorkReason.BATCH_SIZE_REACHED), "count and reason")
    changed = body.replace(b'"pending_count":11', b'"pending_count":12')
    assert changed != body, body
    verify = verify_and_parse_notification
    raises(WebhookVerificationError, lambda: verify(changed, headers, secret=SECRET), "a changed body")
    raises(WebhookVerificationError, lambda: verify(body, headers, secret="other"), "another secret")


@check("webhooks: a batch that is not full is announced when its time is over")
def waited(box) -> None:
    with receiver() as kept:
        _watch(box, sandbox.RANK_STAGE, kept.url, batch_size=50, max_wait_seconds=0.5)
        for task in list(_find_stage(box).get_tasks())[:2]:
            task.proceed(pathway_name="found")
        body, headers = kept.take()
    notification = verify_and_parse_notification(body, headers, secret=SECRET)
    assert 1 <= notification.pending_count <= 2, notification
    equal(notification.reason, AgentStageWorkReason.MAX_WAIT_ELAPSED, "reason")
    equal(notification.stage_uuid, UUID(sandbox.RANK_STAGE), "stage")


@check("webhooks: a batch is announced when enough tasks have arrived, and not before")
def batches(box) -> None:
    with receiver() as kept:
        _watch(box, sandbox.RANK_STAGE, kept.url, batch_size=3, max_wait_seconds=600)
        tasks = list(_find_stage(box).get_tasks())
        for task in tasks[:2]:
            task.proceed(pathway_name="found")
        raises(queue.Empty, lambda: kept.take(0.5), "a notification of too few tasks")
        tasks[2].proceed(pathway_name="found")
        body, headers = kept.take()
    notification = verify_and_parse_notification(body, headers, secret=SECRET)
    found = (notification.pending_count, notification.reason)
    equal(found, (3, AgentStageWorkReason.BATCH_SIZE_REACHED), "count and reason")


@check("webhooks: a notification that was not accepted is sent again")
def again(box) -> None:
    with receiver(500) as kept:
        _watch(box, sandbox.FIND_STAGE, kept.url, batch_size=COUNT)
        bodies = []
        for _ in range(2):
            body, headers = kept.take()
            bodies.append(verify_and_parse_notification(body, headers, secret=SECRET))
        raises(queue.Empty, lambda: kept.take(0.5), "a notification after it was accepted")
    equal([one.pending_count for one in bodies], [COUNT] * 2, "tasks announced")


@check("webhooks: a FastAPI application of encord-agents accepts them, and nothing forged")
def application(box) -> None:
    with receiver() as kept:
        _watch(box, sandbox.FIND_STAGE, kept.url, batch_size=COUNT)
        body, headers = kept.take()
    seen = []
    app = get_encord_app()

    @app.post("/ready")
    def ready(
        notification: Annotated[TaskNotification, Depends(dep_task_notification_with_args(secret=SECRET))],
    ) -> None:
        seen.append(notification.stage_uuid)

    client = TestClient(app)
    names = ("x-encord-timestamp", "x-encord-signature")
    signed = {name: value for name, value in headers.items() if name.lower() in names}
    equal(len(signed), 2, "signature headers")
    equal(client.post("/ready", content=body, headers=signed).status_code, 200, "status")
    equal(seen, [UUID(sandbox.FIND_STAGE)], "stages announced")
    equal(client.post("/ready", content=body + b" ", headers=signed).status_code, 401, "status of a forged one")
    equal(client.post("/ready", content=body).status_code, 401, "status of an unsigned one")
    equal(len(seen), 1, "calls of the route")


def _certificate(path: pathlib.Path) -> pathlib.Path:
    """Makes a certificate for localhost that is signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@check_alone("webhooks: encrypted endpoints are called, and their certificate is checked")
def encrypted() -> None:
    with tempfile.TemporaryDirectory() as folder:
        certificate = _certificate(pathlib.Path(folder) / "localhost.pem")
        with sandbox.Sandbox(options=["--webhook-roots", str(certificate)]) as box:
            with receiver(certificate=certificate) as kept:
                _watch(box, sandbox.FIND_STAGE, kept.url, batch_size=COUNT)
                body, headers = kept.take()
            notification = verify_and_parse_notification(body, headers, secret=SECRET)
            equal(notification.pending_count, COUNT, "tasks announced")
        with sandbox.Sandbox() as box, receiver(certificate=certificate) as kept:
            _watch(box, sandbox.FIND_STAGE, kept.url, batch_size=COUNT)
            raises(queue.Empty, lambda: kept.take(2), "a notification to whom nobody trusts")
            tried = [one for one in box.own("GET", "journal")["effects"] if one["effect"] == "webhook"]
            assert tried and "certificate" in tried[0]["error"], tried
