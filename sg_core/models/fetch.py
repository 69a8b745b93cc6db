# SPDX-License-Identifier: MIT
"""``maquette download``: a model of a hub, at its commit, before it is needed; a bar says how far it is."""

import argparse
import sys
from collections.abc import Sequence

from sg_core.errors import WeightsError
from sg_core.models.loading import describe, find, named


def main(argv: Sequence[str] | None = None) -> int:
    """The command: 0 when all are there, whole and as their commits name them."""
    flags = argparse.ArgumentParser(prog="maquette download", description=__doc__)
    flags.add_argument("model", nargs="+", help="a name of ours, or owner/name@COMMIT of a hub")
    for source in flags.parse_args(argv).model:
        card = named(source)
        try:
            folder = find(card.address if card else source)
            card = card or describe(source, folder)
        except WeightsError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(f"{card.name}, {card.family}: {folder}\n")
    return 0
