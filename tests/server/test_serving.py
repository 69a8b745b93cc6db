# SPDX-License-Identifier: MIT
"""A server that is asked much stays as it is; and the helpers with which tests look at one from outside."""

import asyncio
import os
import time

import pytest

from tests.server.processes import cpu_seconds, open_files, percentile, processes_of, resident_mib, runs, workers_of
from tests.server.serving import at_home, block, blockout, fake, painted

REQUESTS = 300


def test_reading_leaves_no_file_open_and_takes_no_memory(served):
    process, lasted = served.process.pid, []
    served.reaches(served.submit())
    paths = ("/v1/health", "/v1/jobs", "/v1/models", "/v1/jobs/nobody", "/v1/artifacts/none")
    for path in paths * 4:  # the first requests fill caches
        served.request("GET", path)
    files, memory, computed = open_files(process), resident_mib(process), cpu_seconds(process)
    for number in range(REQUESTS):
        began = time.monotonic()
        served.request("GET", paths[number % len(paths)])
        lasted.append(time.monotonic() - began)
    assert open_files(process) <= files + 2  # the worker's pipes are there already; a connection may just be closing
    assert resident_mib(process) < memory + 8
    assert (cpu_seconds(process) - computed) / REQUESTS < 0.05
    assert percentile(lasted, 0.5) <= percentile(lasted, 0.95) <= percentile(lasted, 1.0) == max(lasted)


def test_a_server_and_its_worker_are_all_there_is(served):
    (worker,) = workers_of(served.process.pid)
    assert sorted(processes_of(served.home)) == sorted([served.process.pid, worker])
    assert runs(worker) and runs(os.getpid()) and not runs(2**22 + 1)


def test_a_picture_of_a_box(tmp_path):
    """Half of the frame is asked for, and the fake engine claims half a tenth to the right of its middle."""

    async def paint():
        async with at_home(fake(tmp_path)) as client:
            return await painted(client, blockout(regions=(block("cat", (0, 0, 32, 64)),)))

    (achieved,) = asyncio.run(paint()).achieved
    assert (achieved.size, achieved.centroid) == (0.5, pytest.approx((0.35, 0.5)))
