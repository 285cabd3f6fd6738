"""Who we say we are, whom we ask, and what we do not follow. The network is a fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import transferset
from transferset.errors import InputError, TransfersetError, UsageError
from transferset.sources.hosts import is_private
from transferset.sources.manners import Manners, retry_after, user_agent
from transferset.sources.web import Web

PUBLIC = "93.184.216.34"
Answer = Callable[[httpx.Request], httpx.Response]


class Body(httpx.SyncByteStream):
    """A body that is not there until it is read, as on a real network."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self.content


class Net:
    """A fake network: answers, and the requests that were made."""

    def __init__(self, answer: Answer, hosts: dict[str, str] | None = None) -> None:
        self.answer = answer
        self.hosts = hosts or {}
        self.asked: list[httpx.Request] = []
        self.waits: list[float] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answer(request)
        return httpx.Response(
            answer.status_code,
            headers=answer.headers,
            stream=Body(getattr(answer, "_content", b"")),
            extensions=answer.extensions,
        )

    def lookup(self, host: str) -> list[str]:
        return [self.hosts.get(host, PUBLIC)]

    def web(self, **options: object) -> Web:
        return Web(
            transport=httpx.MockTransport(self.handle),
            lookup=self.lookup,
            sleep=self.waits.append,
            **options,  # type: ignore[arg-type]
        )


def text(content: str) -> Answer:
    return lambda _: httpx.Response(200, text=content)


def going(steps: dict[str, str]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        to = steps.get(str(request.url))
        return httpx.Response(302, headers={"location": to}) if to else httpx.Response(200)

    return answer


def test_we_say_who_we_are_and_ask_for_bytes_as_they_are_stored() -> None:
    net = Net(text("hello"))
    assert net.web(contact="me@example.org").text("https://a.example/x", 100) == "hello"
    headers = net.asked[0].headers
    assert headers["user-agent"] == f"transferset/{transferset.__version__} (+me@example.org)"
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


@pytest.mark.parametrize(
    "contact", ["", "me", "a@b\r\nX: y", "a@b (x)", "é@b", "a@" + "b" * 200, "a b@c"]
)
def test_a_contact_that_cannot_stand_in_a_header_is_refused(contact: str) -> None:
    with pytest.raises(UsageError, match="--contact"):
        user_agent(contact)


def test_the_environment_does_not_choose_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert Web()._client._mounts == {}


def test_a_document_that_is_not_there_is_none() -> None:
    assert Net(lambda _: httpx.Response(404)).web().text("https://a.example/x", 9) is None


def test_a_document_has_a_limit() -> None:
    with pytest.raises(InputError, match="at most 9 bytes"):
        Net(text("0123456789")).web().text("https://a.example/x", 9)


def test_a_document_is_utf8() -> None:
    with pytest.raises(InputError, match="UTF-8"):
        Net(lambda _: httpx.Response(200, content=b"\xff")).web().text("https://a.example/x", 9)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate"])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": encoding}, stream=Body(b"x"))

    with pytest.raises(InputError, match="Content-Encoding"):
        Net(answer).web().text("https://a.example/x", 9)


def test_redirects_between_public_https_servers_are_followed() -> None:
    net = Net(going({"https://a.example/x": "https://b.example/y", "https://b.example/y": "z"}))
    assert net.web().text("https://a.example/x", 9) == ""
    assert [str(request.url) for request in net.asked] == [
        "https://a.example/x",
        "https://b.example/y",
        "https://b.example/z",
    ]


def test_five_redirects_are_followed_and_six_are_not() -> None:
    steps = {f"https://a.example/{n}": f"/{n + 1}" for n in range(1, 7)}
    assert Net(going(steps)).web().text("https://a.example/2", 9) == ""
    net = Net(going(steps))
    with pytest.raises(InputError, match="at most 5 redirects"):
        net.web().text("https://a.example/1", 9)
    assert len(net.asked) == 6


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://a.example/y", "stays on https"),
        ("ftp://a.example/y", "http or https"),
        ("file:///etc/passwd", "http or https"),
        ("https://user:secret@b.example/", "without a password"),
        ("https://10.0.0.1/", "public address"),
        ("https://127.0.0.1/", "public address"),
        ("https://[::1]/", "public address"),
        ("https://169.254.169.254/latest/meta-data", "public address"),
        ("https://inside.example/", "public address"),
    ],
)
def test_a_redirect_out_of_bounds_is_refused_unasked(location: str, expected: str) -> None:
    net = Net(going({"https://a.example/x": location}), {"inside.example": "192.168.1.1"})
    net.hosts |= {host: host for host in ("10.0.0.1", "127.0.0.1", "::1", "169.254.169.254")}
    with pytest.raises(InputError, match=expected) as error:
        net.web().text("https://a.example/x", 9)
    assert len(net.asked) == 1
    assert "https://a.example/x" in str(error.value)


def test_a_private_server_is_asked_only_if_the_user_named_it() -> None:
    net = Net(text("hi"), {"mirror.lan": "192.168.1.1"})
    with pytest.raises(UsageError, match="--mirror"):
        net.web().text("https://mirror.lan/x", 9)
    with pytest.raises(UsageError, match="--mirror"):
        net.web(named=("https://mirror.lan:8443",)).text("https://mirror.lan/x", 9)
    assert net.asked == []
    assert net.web(named=("https://mirror.lan",)).text("https://mirror.lan/x", 9) == "hi"


def test_a_name_that_turns_private_between_two_lookups_is_not_read() -> None:
    class Stream:
        def get_extra_info(self, info: str) -> object:
            return ("10.0.0.1", 443) if info == "server_addr" else None

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="secret", extensions={"network_stream": Stream()})

    with pytest.raises(InputError, match="public address"):
        Net(answer).web().text("https://a.example/x", 9)


def test_real_connections_show_who_answered() -> None:
    # The check above stands on this extension of httpx.
    from web_server import serving

    with serving() as stage:
        stage.files["/x"] = b"hi"
        with Web(named=(stage.root,)) as web, web.stream(f"{stage.root}/x") as response:
            stream = response.extensions["network_stream"]
            assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
            response.read()


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::1",
        "fc00::1",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_private_addresses(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", [PUBLIC, "208.80.154.224", "2620:0:861:ed1a::1"])
def test_public_addresses(address: str) -> None:
    assert not is_private(address)


def test_without_any_network_there_is_no_waiting() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("unreachable", request=request)

    net = Net(answer)
    with pytest.raises(TransfersetError, match="within 1 try, found ConnectError"):
        net.web().text("https://a.example/x", 9)
    assert net.waits == []


def test_an_unknown_host_is_an_error_at_once() -> None:
    def unknown(_: str) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(TransfersetError, match="no address for the host"):
        Web(lookup=unknown).text("https://nowhere.example/x", 9)


def test_once_a_server_was_reached_its_absence_is_waited_out() -> None:
    answers = iter([httpx.Response(200, text="a"), None, httpx.Response(200, text="b")])

    def answer(request: httpx.Request) -> httpx.Response:
        response = next(answers)
        if response is None:
            raise httpx.ConnectError("gone", request=request)
        return response

    net = Net(answer)
    web = net.web()
    assert web.text("https://a.example/x", 9) == "a"
    assert web.text("https://a.example/x", 9) == "b"
    assert net.waits == [1.0]


def test_a_pause_between_requests_is_kept() -> None:
    net = Net(text("a"))
    web = net.web(manners=Manners(pause=30.0))
    for _ in range(3):
        web.text("https://a.example/x", 9)
    assert len(net.waits) == 2
    assert all(29 < wait <= 60 for wait in net.waits)


def test_a_stop_ends_waiting() -> None:
    net = Net(lambda _: httpx.Response(503))
    web = net.web()
    web.stop()
    with pytest.raises(TransfersetError, match="run the same command again to resume"):
        web.text("https://a.example/x", 9)
    assert len(net.asked) == 1


@pytest.mark.parametrize("code", [400, 418, 206, 304, 416, 501])
def test_other_statuses_are_not_repeated(code: int) -> None:
    net = Net(lambda _: httpx.Response(code))
    with pytest.raises(TransfersetError, match=str(code)):
        net.web().text("https://a.example/x", 9)
    assert len(net.asked) == 1


@pytest.mark.parametrize("url", ["", "x", "https://", "https://a.example:99999/", "https://\x00/"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="http or https"):
        Net(text("")).web().text(url, 9)


def test_retry_after_in_seconds_or_as_a_date() -> None:
    assert retry_after("120") == 120.0
    assert retry_after(None) is None
    assert retry_after("soon") is None
    assert retry_after("-5") is None
    soon = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    assert soon is not None
    assert 85 < soon <= 90
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@settings(deadline=None)
@given(st.text())
def test_retry_after_takes_any_text(value: str) -> None:
    seconds = retry_after(value)
    assert seconds is None or seconds >= 0


@settings(deadline=None)
@given(st.integers(1, 100))
def test_backoff_grows_and_is_capped(failures: int) -> None:
    manners = Manners()
    assert manners.backoff(failures) <= manners.backoff(failures + 1) <= manners.longest_wait
