from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.storage.urls import Url, parse, plain


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("s3://bucket/sets/wiki", Url("s3", "bucket", "sets/wiki")),
        ("s3://bucket/sets/wiki/", Url("s3", "bucket", "sets/wiki")),
        ("gs://bucket/a", Url("gs", "bucket", "a")),
        ("file:///tmp/sets", Url("file", "", "tmp/sets")),
        (
            "s3://b/a?scheme=http&endpoint_override=127.0.0.1:5000",
            Url("s3", "b", "a", (("endpoint_override", "127.0.0.1:5000"), ("scheme", "http"))),
        ),
        (
            "s3://b/a?endpoint_override=http://127.0.0.1:5000",
            Url("s3", "b", "a", (("endpoint_override", "127.0.0.1:5000"), ("scheme", "http"))),
        ),
    ],
)
def test_an_address_and_what_a_path_makes_of_it_are_the_same(written, expected, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    assert parse(written) == expected
    assert parse(Path(written)) == expected  # `s3:/bucket`
    assert str(expected) == written.partition("?")[0].rstrip("/")


@pytest.mark.parametrize(
    "written",
    ["sets/wiki", "/sets/wiki", "C:", "https://host/x", "demo", "a:0.7", "s3", "s3:x"],
)
def test_everything_else_is_a_path(written):
    assert parse(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "s3://bucket",
        "s3://bucket/",
        "s3://",
        "s3://bucket/../x",
        "s3://bucket/a//b",
        "s3://bucket/./a",
        "s3://bucket/a\x1bb",
        "s3://bucket/a\\b",
        "s3://bucket/" + "a" * 300,
        "s3://bucket/" + "/".join("a" * 200 for _ in range(6)),
        "s3://bucket/a?access_key=x",
        "s3://bucket/a?region",
    ],
)
def test_what_is_not_plain_is_refused(written):
    with pytest.raises(UsageError):
        parse(written)


def test_credentials_in_a_url_are_refused_and_not_repeated():
    with pytest.raises(UsageError, match="without credentials") as error:
        parse("s3://me:secret@bucket/a")
    assert "secret" not in str(error.value)


def test_the_endpoint_of_the_environment_is_part_of_the_address(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9/")
    url = parse("s3://bucket/a")
    assert dict(url.options) == {"endpoint_override": "127.0.0.1:9", "scheme": "http"}
    assert parse("gs://bucket/a").options == ()


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_name_leads_out_of_the_bucket(names):
    try:
        url = parse("s3://bucket/" + "/".join(names))
    except UsageError:
        return
    assert url is not None
    assert all(plain(part) and part not in ("..", ".", "") for part in url.key.split("/"))
