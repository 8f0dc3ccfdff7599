"""Starting and stopping the sandbox the way any user of it would: the program, a seed file, one line of JSON."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import urllib.request
from typing import Sequence

from encord.user_client import EncordUserClient

# The identifiers of the sample seed, see examples/src/samples/seed.rs.
PROJECT = "5e900000-0000-4000-8000-000000000001"
ONTOLOGY = "5e900000-0000-4000-8000-000000000003"
DATASET = "5e900000-0000-4000-8000-000000000004"
FIND_STAGE = "5e900000-0000-4000-8000-00000000000a"
RANK_STAGE = "5e900000-0000-4000-8000-00000000000b"
ANNOTATE_STAGE = "5e900000-0000-4000-8000-00000000000c"
DONE_STAGE = "5e900000-0000-4000-8000-00000000000d"

_programs = pathlib.Path()
_work = pathlib.Path()


def prepare(programs: pathlib.Path, work: pathlib.Path) -> None:
    """Makes the sample media once for all checks."""
    global _programs, _work
    _programs, _work = programs.absolute(), work.absolute()
    samples().mkdir(parents=True, exist_ok=True)
    subprocess.run([program("sample_seed"), samples()], check=True)


def samples() -> pathlib.Path:
    """The folder of the sample media."""
    return _work / "samples"


def program(name: str) -> pathlib.Path:
    """The path of one of the built programs."""
    return _programs / name


def sample_seed() -> dict:
    """The seed with a sample of every type, for checks that want to change it."""
    return json.loads((samples() / "seed.json").read_text())


class Sandbox:
    """A running sandbox; leaving the block ends it and fails if it does not end cleanly.

    With `keep` its state is in a folder, so that it is still there after `restart`.
    """

    def __init__(self, seed: dict | None = None, *, options: Sequence[str] = (), keep: bool = False) -> None:
        self._seed = seed
        self._options = list(options)
        self._keep = keep
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Sandbox":
        self.folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=_work)))
        # Files are named relative to the seed, so it has to lie beside the samples.
        seed = samples() / "seed.json"
        if self._seed is not None:
            seed = samples() / f"{self.folder.name}.json"
            seed.write_text(json.dumps(self._seed))
            self._stack.callback(seed.unlink)
        self._log = self._stack.enter_context(open(_work / "sandbox.log", "ab"))
        self._command = [program("encord-sandbox"), "serve", "--seed", seed, "--key-out", self.folder / "key"]
        self._command += self._options
        if self._keep:
            self._command += ["--data-dir", self.folder / "data"]
        self._start()
        return self

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox did not start: see {_work / 'sandbox.log'}")
        ready = json.loads(line)
        self.url = ready["url"]
        # With the keys of all users in the seed there is none to write.
        self.key_path = pathlib.Path(ready.get("private_key_path") or self.folder / "key")
        # What encord-agents reads; its client is cached by these values.
        os.environ["ENCORD_DOMAIN"] = self.url
        os.environ["ENCORD_SSH_KEY_FILE"] = str(self.key_path)
        os.environ.pop("ENCORD_SSH_KEY", None)

    def restart(self, number: signal.Signals) -> int:
        """Ends the sandbox with this signal and starts it again; returns its exit code. The port changes."""
        self._process.send_signal(number)
        code = self._process.wait(timeout=20)
        self._process.stdout.close()
        self._start()
        return code

    def __exit__(self, kind, error, trace) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = "none, it had to be killed"
        self._process.stdout.close()
        self._stack.close()
        if kind is None and code != 0:
            raise AssertionError(f"the sandbox ended with exit code {code} after SIGTERM")

    def client(self) -> EncordUserClient:
        """A client of the real package that signs with the sandbox's key."""
        return EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=self.key_path, domain=self.url
        )

    def project(self, project_hash: str = PROJECT):
        """A project, by default the sample project, as the real package sees it."""
        return self.client().get_project(project_hash)

    def row(self, title: str):
        """The label row of the data unit with this title."""
        (row,) = self.project().list_label_rows_v2(data_title_eq=title)
        return row

    def run(self, name: str, *arguments: str) -> str:
        """Runs one of the Rust programs against this sandbox and returns what it printed."""
        command = [program(name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"{name} {' '.join(arguments)} exited with {done.returncode}: {done.stderr}")
        return done.stdout

    def own(self, method: str, path: str, body: dict | list | None = None):
        """A request to the sandbox's own interface, below `/_sandbox/`."""
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None
