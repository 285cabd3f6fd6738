"""Workers that have other caches than the driver, each of its own, as Ray's have on their nodes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from transferset.cluster.apart import send_ahead
from transferset.cluster.environment import environment
from transferset.cluster.node import Setting, _run, lock_of
from transferset.storage import travelling


def settle_in(cache: Path) -> None:
    os.environ["TRANSFERSET_CACHE"] = str(cache)


class Elsewhere:
    """An executor whose workers have other caches than the driver, each of its own."""

    def __init__(self, folder: Path, count: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        self.caches = [folder / f"cache-{i}" for i in range(count)]
        self.pools = [
            ProcessPoolExecutor(1, mp_context=context, initializer=settle_in, initargs=(cache,))
            for cache in self.caches
        ]
        self.apart: set[bool] = set()

    def map(self, function: Callable[[Any], Any], tasks: Any) -> Iterator[Any]:
        todo = list(tasks)
        sent = send_ahead(todo[0].root, spills=True) if todo else ()
        for i, task in enumerate(todo):
            setting = Setting(environment(), False, str(Path.cwd()), lock_of(task), sent)
            raw = travelling.pack((function, task))
            result, apart = self.pools[i % len(self.pools)].submit(_run, raw, setting).result()
            self.apart.add(apart)
            yield result
