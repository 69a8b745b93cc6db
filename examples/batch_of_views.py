# SPDX-License-Identifier: MIT
"""A batch from Python: two frames of a scene by two seeds, and how well each picture obeys.

python examples/batch_of_views.py OUT
"""

import asyncio
import sys
from pathlib import Path

from server.batch.run import BatchPlan, batch, link

SCENE = Path(__file__).with_name("meadow.blend")


async def main(out: Path) -> None:
    """Paint what is not there yet, and print a line a picture."""
    plan = BatchPlan(scenes=(SCENE,), frames=(1, 2), seeds=(0, 1), settings={"steps": 4})
    async with link(None) as way:  # the server that runs, or one for as long as this takes
        outcome = await batch(way, plan, out)
    for name, row in outcome.rows.items():
        print(f"{name}: overlap {row.overlap:.2f}, says the {row.regions[0].by}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/views")))
