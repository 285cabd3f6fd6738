"""robots.txt is asked for once, before anything else, and no way leads around it."""

from __future__ import annotations

import time as real_time
from collections.abc import Iterator
from pathlib import Path

import pytest
from book_server import FAST, START, Entry, Server, Time, book_server, fetch, reason
from hypothesis import given, settings
from hypothesis import strategies as st
from web_server import Handler, redirect, saying, silent, status

from transferset.errors import TransfersetError
from transferset.sources.books.fetch import fetch_books
from transferset.sources.books.robots import Rules, decoded, read_rules


@pytest.fixture
def server() -> Iterator[Server]:
    with book_server(Time()) as server:
        yield server


def rules(text: str, status: int = 200) -> Rules:
    return Rules("https://a.example", START, status, text)


def denied(text: str, path: str = "/books/1.txt") -> bool:
    return rules(text).denial(f"https://a.example{path}") is not None


def test_rules_are_asked_for_once_and_first(server: Server, tmp_path: Path) -> None:
    server.robots("User-agent: *\nAllow: /\n")
    got = fetch(server, tmp_path, server.book("1.txt"), server.book("2.txt"))
    assert server.paths == ["/robots.txt", "/1.txt", "/2.txt"]
    assert got.requests == 3
    assert all(got.files)


def test_what_is_disallowed_is_never_asked_for(server: Server, tmp_path: Path) -> None:
    server.robots("User-agent: *\nDisallow: /no/\n")
    got = fetch(server, tmp_path, server.book("no/1.txt"), server.book("yes/2.txt"))
    assert server.paths == ["/robots.txt", "/yes/2.txt"]
    assert got.files[0] is None
    assert got.unavailable[0].reason == f"robots.txt of {server.root} disallows it"
    assert got.unavailable[0].index == 0


def test_another_address_that_is_allowed_is_asked_instead(server: Server, tmp_path: Path) -> None:
    server.robots("User-agent: *\nDisallow: /no/\n")
    entry = Entry(f"{server.root}/no/1.txt", (server.book("yes/1.txt").url,))
    got = fetch(server, tmp_path, entry)
    assert server.paths == ["/robots.txt", "/yes/1.txt"]
    assert got.files[0] is not None
    assert got.files[0].url == entry.alternatives[0]


@pytest.mark.parametrize("code", [400, 404, 410, 418])
def test_a_host_without_rules_lets_everything_be_read(
    server: Server, tmp_path: Path, code: int
) -> None:
    server.play("/robots.txt", status(code))
    assert fetch(server, tmp_path, server.book("1.txt")).files[0] is not None
    assert server.count("/robots.txt") == 1


@pytest.mark.parametrize("code", [401, 403, 451])
def test_rules_that_may_not_be_read_forbid_everything(
    server: Server, tmp_path: Path, code: int
) -> None:
    server.play("/robots.txt", status(code))
    got = fetch(server, tmp_path, server.book("1.txt"), server.book("2.txt"))
    assert server.paths == ["/robots.txt"]
    assert got.files == (None, None)
    assert f"answers {code}: nothing may be read" in got.unavailable[1].reason


@pytest.mark.parametrize("code", [429, 500, 503, 408])
def test_rules_that_cannot_be_had_end_the_run(server: Server, tmp_path: Path, code: int) -> None:
    server.play("/robots.txt", status(code))
    with pytest.raises(TransfersetError, match=rf"robots\.txt .* found {code}") as error:
        fetch(server, tmp_path, server.book("1.txt"))
    assert "nothing is asked of this server" in str(error.value)
    assert server.paths == ["/robots.txt"] * 4
    assert server.time.waits[0] >= 1


def test_rules_that_do_not_come_in_time_end_the_run(server: Server, tmp_path: Path) -> None:
    server.play("/robots.txt", silent)
    with pytest.raises(TransfersetError, match=r"robots\.txt .* ReadTimeout"):
        fetch(server, tmp_path, server.book("1.txt"))
    assert set(server.paths) == {"/robots.txt"}


def test_rules_that_come_after_a_bad_moment_hold(server: Server, tmp_path: Path) -> None:
    rule = saying(200, b"User-agent: *\nDisallow: /")
    server.play("/robots.txt", status(503, Retry_After="77"), rule)
    assert "disallows" in reason(fetch(server, tmp_path, server.book("1.txt")))
    assert server.gaps == [77.0]


def test_a_page_in_the_place_of_rules_is_no_permission(server: Server, tmp_path: Path) -> None:
    server.robots("<!DOCTYPE html><title>Please accept</title>")
    with pytest.raises(TransfersetError, match=r"an HTML page instead of robots\.txt"):
        fetch(server, tmp_path, server.book("1.txt"))
    assert set(server.paths) == {"/robots.txt"}


def test_rules_that_drip_end_the_run(server: Server, tmp_path: Path) -> None:
    def act(to: Handler) -> None:
        to.head(200, 10)
        for _ in range(10):
            server.time.sleep(30)
            to.wfile.write(b"#")
            to.wfile.flush()
            real_time.sleep(0.01)

    server.play("/robots.txt", act)
    with pytest.raises(TransfersetError, match="an answer that takes too long"):
        fetch(server, tmp_path, server.book("1.txt"))
    assert set(server.paths) == {"/robots.txt"}


def test_huge_rules_are_read_to_their_bound(server: Server, tmp_path: Path) -> None:
    early = "User-agent: *\nDisallow: /no/\n"
    server.robots(early + "# padding\n" * 3_000_000)
    got = fetch(server, tmp_path, server.book("no/1.txt"), server.book("2.txt"))
    assert got.files[0] is None
    assert got.files[1] is not None
    assert server.stage.served[0] < 25_000_000  # hung up on


def test_a_line_that_the_bound_cuts_is_left_out() -> None:
    assert decoded(b"User-agent: *\nDisallow: /no\nDisallow: /", False).endswith("/no\n")
    assert decoded(b"Disallow: /", True) == "Disallow: /"


def test_redirected_rules_hold_for_the_host_that_was_asked(server: Server, tmp_path: Path) -> None:
    server.play("/robots.txt", redirect("/rules.txt"))
    server.stage.files["/rules.txt"] = b"User-agent: *\nDisallow: /no/\n"
    got = fetch(server, tmp_path, server.book("no/1.txt"))
    assert "disallows" in reason(got)
    assert server.paths == ["/robots.txt", "/rules.txt"]


@pytest.mark.parametrize("location", ["/robots.txt", "ftp://a.example/", "http://10.0.0.1/"])
def test_rules_behind_a_bad_redirect_end_the_run(
    server: Server, tmp_path: Path, location: str
) -> None:
    server.play("/robots.txt", redirect(location))
    with pytest.raises(TransfersetError, match=r"expected a robots\.txt"):
        fetch(server, tmp_path, server.book("1.txt"))
    assert server.paths == ["/robots.txt"] * (6 if location == "/robots.txt" else 1)


def test_a_byte_order_mark_does_not_hide_the_first_line(server: Server, tmp_path: Path) -> None:
    server.robots(b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /\r\n")
    assert "disallows" in reason(fetch(server, tmp_path, server.book("1.txt")))


def test_a_redirect_to_another_host_obeys_the_rules_of_that_host(
    server: Server, tmp_path: Path
) -> None:
    with book_server(server.time) as other:
        other.robots("User-agent: *\nDisallow: /")
        server.play("/1.txt", redirect(other.book("1.txt").url))
        got = fetch(server, tmp_path, Entry(f"{server.root}/1.txt"), also=(other.root,))
        assert reason(got) == f"robots.txt of {other.root} disallows it"
        assert other.paths == ["/robots.txt"]


def test_a_redirect_within_a_host_obeys_its_rules_too(server: Server, tmp_path: Path) -> None:
    server.robots("User-agent: *\nDisallow: /no/")
    server.play("/1.txt", redirect("/no/1.txt"))
    assert "disallows" in reason(fetch(server, tmp_path, Entry(f"{server.root}/1.txt")))
    assert server.paths == ["/robots.txt", "/1.txt"]


def test_the_crawl_delay_is_kept_between_all_requests(server: Server, tmp_path: Path) -> None:
    server.robots("User-agent: *\nCrawl-delay: 7\n")
    fetch(server, tmp_path, *(server.book(f"{n}.txt") for n in range(4)))
    assert server.gaps == [7.0] * 4  # also between the rules and the first book


def test_a_crawl_delay_shorter_than_our_pause_changes_nothing(
    server: Server, tmp_path: Path
) -> None:
    server.robots("User-agent: *\nCrawl-delay: 0.1\n")
    fetch(server, tmp_path, server.book("1.txt"), server.book("2.txt"))
    assert server.gaps == [FAST.pause] * 2


def test_a_crawl_delay_beyond_our_patience_ends_the_run(server: Server, tmp_path: Path) -> None:
    server.robots("User-agent: *\nCrawl-delay: 86400\n")
    with pytest.raises(TransfersetError, match="run the same command again in 86400 s"):
        fetch(server, tmp_path, server.book("1.txt"))
    assert server.paths == ["/robots.txt"]


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("Crawl-delay: 10", 10.0),
        ("Request-rate: 1/5", 5.0),
        ("Request-rate: 2/1m", 30.0),
        ("Crawl-delay: 3\nRequest-rate: 1/9", 9.0),
        ("Crawl-delay: 9\nRequest-rate: 1/3", 9.0),
        ("Crawl-delay: soon", 0.0),
        ("Crawl-delay: -4", 0.0),
        ("Crawl-delay: nan", 0.0),
        ("", 0.0),
    ],
)
def test_the_longer_of_two_ways_to_ask_for_patience_counts(text: str, pause: float) -> None:
    assert rules(f"User-agent: *\n{text}\n").pause == pause


def test_rules_are_believed_for_a_day_and_not_longer(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, server.book("1.txt"))
    server.time.now = START + 86_000
    fetch(server, tmp_path, server.book("2.txt"))
    assert server.paths == ["/robots.txt", "/1.txt", "/2.txt"]
    server.time.now = START + 87_000
    fetch(server, tmp_path, server.book("3.txt"))
    assert server.paths[3:] == ["/robots.txt", "/3.txt"]


@pytest.mark.parametrize(
    "kept",
    ["", "[]", "{}", '{"origin": 1, "retrieved": "x", "status": 200}', "[" * 100_000],
)
def test_kept_rules_that_are_broken_are_asked_for_again(tmp_path: Path, kept: str) -> None:
    rules("").save(tmp_path)
    (path,) = tmp_path.iterdir()
    assert read_rules(tmp_path, "https://a.example", START, 10.0) == rules("")
    path.write_text(kept)
    assert read_rules(tmp_path, "https://a.example", START, 10.0) is None


def test_kept_rules_of_the_future_are_not_believed(tmp_path: Path) -> None:
    rules("").save(tmp_path)
    assert read_rules(tmp_path, "https://a.example", START - 1, 10.0) is None


@pytest.mark.parametrize(
    ("text", "no"),
    [
        ("User-agent: *\nDisallow: /books", True),
        ("User-agent: transferset\nDisallow: /books", True),
        ("User-agent: Transferset/1.0\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: trans\nAllow: /", True),  # somebody else
        ("User-agent: other\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: transferset\nAllow: /", False),
        ("User-agent: *\nAllow: /\n\nUser-agent: transferset\nDisallow: /", True),
        ("User-agent: other\nUser-agent: transferset\nDisallow: /", True),
        ("User-agent: other\nUser-agent: *\nDisallow: /", True),
        ("User-agent: transferset\nDisallow: /x\n\nUser-agent: other\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\nAllow: /books/", False),
        ("User-agent: *\nDisallow: /*.txt$", True),
        ("User-agent: *\nDisallow: /*.epub$", False),
        ("User-agent: *\nDisallow:", False),
        ("user-agent:*\ndisallow:/", True),
        ("User-agent: * # all\nDisallow: / # everything", True),
    ],
)
def test_which_rules_are_ours(text: str, no: bool) -> None:
    assert denied(text) is no


def test_hostile_rules_take_no_time() -> None:
    names = "".join(f"User-agent: a{n}\n" for n in range(15_000))
    lines = "".join(f"Disallow: /*a*{n}*b\n" for n in range(12_000))
    start = real_time.process_time()
    assert not denied(names + lines, "/" + "a" * 2000)
    assert denied("User-agent: *\nDisallow: /" + "*a" * 100_000, "/" + "a" * 200_000)
    assert real_time.process_time() - start < 5  # Protego alone: minutes, measured


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_rules(body: bytes) -> None:
    rule = rules(decoded(body, True))
    assert rule.pause >= 0
    denial = rule.denial("https://a.example/x")
    assert denial in (None, "robots.txt of https://a.example disallows it")


def test_there_is_no_parameter_to_ignore_rules() -> None:
    assert not any("robots" in name or "ignore" in name for name in fetch_books.__kwdefaults__)
