# SPDX-License-Identifier: MIT
"""A cluster of two nodes on this machine, a batch on it, and one node's end: two_nodes.py IN OUT LOG."""

import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # loopback alone

from ray.cluster_utils import Cluster

ENGINE = "tests.server.batch.cluster.engines:WaitingEngine"


def main() -> None:
    """Kill the second node while both paint."""
    folder, out, log = sys.argv[1:]
    os.environ["MAQUETTE_TEST_LOG"] = log  # before the nodes, whose actors have their environment
    common = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=common)
    second = cluster.add_node(**{name: value for name, value in common.items() if name != "include_dashboard"})
    words = [sys.executable, "-m", "server", "paint", folder, "--seeds", "1-12", "--out", out, "--engine", ENGINE]
    batch = subprocess.Popen([*words, "--ray", cluster.address, "--actors", "2"])
    while begun(log) < 4 and batch.poll() is None:
        time.sleep(0.05)
    killed = batch.poll() is None
    cluster.remove_node(second, allow_graceful=False)
    code = batch.wait(400)
    sys.stdout.write("\n" + json.dumps({"code": code, "killed": killed, "in hand": 1}) + "\n")
    cluster.shutdown()


def begun(log: str) -> int:
    """How many rows were begun so far."""
    path = Path(log)
    return len(path.read_text().splitlines()) if path.exists() else 0


if __name__ == "__main__":
    main()
