# SPDX-License-Identifier: MIT
"""``maquette serve`` with settings that have no flag: python serve_with.py SETTINGS, as JSON, ``home`` among them."""

import json
import logging
import sys
from pathlib import Path

from server.cli.serve import run
from server.settings import ServerSettings

if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = json.loads(sys.argv[1])
    run(ServerSettings(home=Path(settings.pop("home")), **settings))
