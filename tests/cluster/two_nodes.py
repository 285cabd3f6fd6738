"""A Ray cluster of several nodes on the loopback interface, as a program of its own.

It reads commands from its standard input, a line of JSON each, and answers with one:
`["add", {"NAME": "VALUE"}]` adds a node of one processor with these variables in its environment,
`["kill", N]` kills the N-th node added, `["end"]` ends everything. The first answer is the address.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ray._private import services
from ray.cluster_utils import Cluster

#: Seconds that a node may take until it is known; Ray's own half a minute is for idle machines.
PATIENCE = 300

NODE = {
    "num_cpus": 1,
    "node_ip_address": "127.0.0.1",
    "object_store_memory": 80 << 20,
    "include_dashboard": False,
}


ask = services.get_node


def patient(*given: Any) -> Any:
    """What is known of a node, as soon as something is."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask(*given)
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def main() -> None:
    services.get_node = patient
    cluster = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
    added: list[Any] = []
    answer(cluster.address)
    for line in sys.stdin:
        command, *given = json.loads(line)
        if command == "add":
            added.append(cluster.add_node(**NODE, env_vars=given[0]))
            answer(len(added) - 1)
        elif command == "kill":
            cluster.remove_node(added[given[0]], allow_graceful=False)
            answer(given[0])
        else:
            break
    for node in (*cluster.worker_nodes, cluster.head_node):
        node.kill_all_processes(check_alive=False, allow_graceful=False)
    answer("ended")


def answer(what: object) -> None:
    sys.__stdout__.write(f"= {json.dumps(what)}\n")
    sys.__stdout__.flush()


if __name__ == "__main__":
    main()
