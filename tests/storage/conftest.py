from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a server that speaks S3, on the loopback."""
    pytest.importorskip("boto3")
    moto = pytest.importorskip("moto.server")
    found = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    found.start()
    host, port = found.get_host_and_port()
    yield f"http://{host}:{port}"
    found.stop()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    place = tmp_path / "cache"
    monkeypatch.setenv("TRANSFERSET_CACHE", str(place))
    monkeypatch.delenv("TRANSFERSET_CACHE_BYTES", raising=False)
    return place


@pytest.fixture
def bucket(server, cache, monkeypatch, request) -> SimpleNamespace:
    """An empty bucket: its URL, and a client that looks at it from outside."""
    import boto3

    for name, value in {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": server,
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    name = f"bucket-{abs(hash(request.node.nodeid)) % 10**12}"
    client.create_bucket(Bucket=name)

    def objects() -> dict[str, bytes]:
        listed = client.list_objects_v2(Bucket=name).get("Contents", [])
        keys = [one["Key"] for one in listed]
        return {k: client.get_object(Bucket=name, Key=k)["Body"].read() for k in keys}

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=name, Key=key, Body=data)

    def upload(root: Path, prefix: str) -> str:
        """A folder as it is; its URL."""
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            put(f"{prefix}/{path.relative_to(root).as_posix()}", path.read_bytes())
        return f"s3://{name}/{prefix}"

    return SimpleNamespace(
        name=name, url=f"s3://{name}", client=client, objects=objects, put=put, upload=upload
    )
