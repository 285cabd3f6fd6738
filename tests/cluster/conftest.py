from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from other_caches import Elsewhere

#: A machine that is busy with other tests starts Ray slowly, or not at all.
STARTS = 4

#: Whole of Ray on the loopback interface, and its workers as important as the tests.
HABITS = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_health_check_failure_threshold": "8",  # of 3 s: until then tasks are sent to a dead node
}


#: A step `--gated` of tests. On a node it notes that it is there, and waits until the gate is open.
GATED = '''
import os, signal, time
from pathlib import Path
import transferset

@transferset.transform
def gated(batch, at, *, never: str = ""):
    """Wait."""
    gate = Path(os.environ.get("GATE", ""))
    if never == "ends":
        os.kill(os.getpid(), signal.SIGKILL)
    if never == "works":
        raise transferset.InputError("expected good rows, found bad ones")
    if gate.name:
        (gate / Path(os.environ["TRANSFERSET_CACHE"]).name).touch()
        while not (gate / "open").exists():
            time.sleep(0.05)
    return batch
'''


class Nodes:
    """A cluster of two nodes and a head that runs no tasks; see `two_nodes`.

    Attributes:
        folder: Where everything is.
        modules: With the step `gated`, which a test may import.
        gate: Folder where `gated` notes the nodes that it is on; it waits for a file `open`.
    """

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.gate = folder / "gate"
        self.gate.mkdir()
        (self.gate / "open").touch()
        self.modules = folder / "modules"
        _install(self.modules)
        self.environment = {**os.environ, **HABITS, "PYTHONPATH": str(self.modules), **variables}
        self._log = (folder / "cluster.log").open("ab")
        self._program = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("two_nodes.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self.environment,
            cwd=folder,
            text=True,
        )
        try:
            self.address = str(self._answer())
            self.added = [self.add(0), self.add(1)]
        except BaseException:
            self._close()
            raise

    def add(self, number: int) -> int:
        """One more node, whose cache is its own."""
        cache = {"TRANSFERSET_CACHE": str(self.folder / f"cache-{number}")}
        return int(str(self._ask("add", {**cache, "GATE": str(self.gate)})))

    def kill(self, number: int) -> None:
        """Kill a node: nothing of it is told to end."""
        self._ask("kill", number)

    def run(self, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command that runs here."""
        with self.begin(*words, **variables) as program:
            out, err = program.communicate(timeout=300)
        return subprocess.CompletedProcess(program.args, program.returncode, out, err)

    def begin(self, *words: str | Path, **variables: str) -> subprocess.Popen[str]:
        """A command that goes on running here."""
        command = [sys.executable, "-m", "transferset", *map(str, words)]
        return subprocess.Popen(
            [*command, "--executor", "ray", "--address", self.address],
            env={**self.environment, **variables},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self) -> None:
        if self._program.poll() is None:
            self._ask("end")
        self._close()

    def _close(self) -> None:
        for stream in (self._program.stdin, self._program.stdout, self._log):
            if stream is not None:
                stream.close()
        try:
            self._program.wait(60)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()

    def _ask(self, *command: object) -> object:
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(command) + "\n")
        self._program.stdin.flush()
        return self._answer()

    def _answer(self) -> object:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            if line.startswith("= "):
                return json.loads(line[2:])
        raise ConnectionError((self.folder / "cluster.log").read_text()[-2000:])


def _install(modules: Path) -> None:
    package = modules / "transferset_gated-1.0.dist-info"
    package.mkdir(parents=True)
    (modules / "transferset_gated.py").write_text(GATED)
    (package / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: transferset-gated\nVersion: 1\n"
    )
    (package / "entry_points.txt").write_text(
        "[transferset.transforms]\ngated = transferset_gated:gated\n"
    )
    (package / "top_level.txt").write_text("transferset_gated\n")


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    """What finds a server that speaks S3, on the loopback: variables for commands and nodes."""
    moto = pytest.importorskip("moto.server")
    found = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    found.start()
    host, port = found.get_host_and_port()
    yield {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    found.stop()


@pytest.fixture(scope="module")
def nodes(store: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """One cluster for all tests of a module."""
    pytest.importorskip("ray")
    for left in reversed(range(STARTS)):
        try:
            found = Nodes(tmp_path_factory.mktemp("cluster"), store)
            break
        except (ConnectionError, BrokenPipeError):
            if not left:
                raise
            time.sleep(5)
    yield found
    found.end()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    found = Elsewhere(tmp_path)
    yield found
    for pool in found.pools:
        pool.shutdown()


class Bucket:
    """The bucket `sets`, seen from outside."""

    def __init__(self, client: Any) -> None:
        self._client = client
        client.create_bucket(Bucket="sets")
        for key in self._keys(""):
            client.delete_object(Bucket="sets", Key=key)

    def __call__(self, prefix: str) -> dict[str, bytes]:
        """The bytes of what lies below a prefix, but for what is of the run."""
        return {
            key.removeprefix(f"{prefix}/"): self._client.get_object(Bucket="sets", Key=key)[
                "Body"
            ].read()
            for key in self._keys(f"{prefix}/")
            if "/_run/" not in key
        }

    def upload(self, root: Path, prefix: str) -> None:
        """A folder as it is."""
        for path in (p for p in root.rglob("*") if p.is_file() and "_run" not in p.parts):
            key = f"{prefix}/{path.relative_to(root).as_posix()}"
            self._client.put_object(Bucket="sets", Key=key, Body=path.read_bytes())

    def _keys(self, prefix: str) -> list[str]:
        listed = self._client.list_objects_v2(Bucket="sets", Prefix=prefix)
        return [one["Key"] for one in listed.get("Contents", [])]


@pytest.fixture
def bucket(store: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket; the driver has a cache of its own."""
    boto3 = pytest.importorskip("boto3")
    for name, value in (*store.items(), ("TRANSFERSET_CACHE", str(tmp_path / "cache"))):
        monkeypatch.setenv(name, value)
    return Bucket(boto3.client("s3", endpoint_url=store["AWS_ENDPOINT_URL"]))
