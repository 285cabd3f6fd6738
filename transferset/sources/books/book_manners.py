"""How a server of books is to be treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from transferset.sources.manners import Manners


@dataclass(frozen=True, slots=True)
class BookManners(Manners):
    """How hard a server of books may be asked; robots.txt may only ask for more patience.

    Args:
        connections: Hosts that are asked at the same time; each of them by one connection.
        pause: Seconds between the end of an answer and the next request to the same host.
        at_most: Most bytes of a file.
        longest_file: Most seconds spent on receiving a file, waits not counted.
        least_rate: Fewest bytes a second, judged after `grace` seconds of an answer.
        grace: Seconds after which the rate is judged.
        longest_head: Seconds within which an answer must begin.
        most_rules: Bytes of robots.txt that are read (RFC 9309, 2.5: at least 500 KiB).
        memory: Seconds for which robots.txt and "there is no such file" are believed.
        failures_in_a_row: Books of a host that may fail one after the other; with the last
            of them the run ends.
    """

    connections: int = 4
    tries: int = 5
    pause: float = 2.0
    at_most: int = 64 << 20
    longest_file: float = 600.0
    least_rate: float = 1024.0
    grace: float = 30.0
    longest_head: float = 90.0
    most_rules: int = 512_000
    memory: float = 86_400.0
    failures_in_a_row: int = 2


POLITE: Final = BookManners()
