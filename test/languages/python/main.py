"""The official Python SDK against a server: a worker, and a client that checks what comes of it.

    main.py --address HOST:PORT --queue NAME --native-queue NAME

One line for each check ("ok NAME" or "failed NAME: why"). Lines that begin with ">" ask something of the runner, which answers on standard input.
"""

import argparse
import asyncio
import logging
import sys
from datetime import timedelta

from harness import World, report
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Worker

import activities
import workflows

# Each registers its checks; their order is the order of the imports.
import checks  # isort: skip
import administration  # isort: skip
import doors  # isort: skip

# By default once a minute, which is long to wait for.
WORKER_HEARTBEAT = timedelta(seconds=1)


async def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ["--address", "--queue", "--native-queue"]:
        parser.add_argument(name, required=True)
    given = parser.parse_args()
    # Attempts that fail on purpose are no news.
    logging.disable(logging.CRITICAL)
    runtime = Runtime(telemetry=TelemetryConfig(logging=None), worker_heartbeat_interval=WORKER_HEARTBEAT)
    client = await Client.connect(given.address, runtime=runtime)
    world = World(client, given.queue, given.native_queue)
    async with Worker(
        client, task_queue=given.queue, workflows=workflows.ALL, activities=activities.ALL
    ):
        return await report(world)


sys.exit(1 if asyncio.run(main()) else 0)
