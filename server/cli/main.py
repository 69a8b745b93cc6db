# SPDX-License-Identifier: MIT
"""The command line: a table of verbs. Each names a function of the words that follow, imported when it is asked for."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pkgutil import resolve_name
from types import MappingProxyType

from addon.client.exceptions import ClientError
from addon.protocol import server_command

from ..errors import CommandError
from .files import in_words
from .terminal import complain, say, stop_by_any_signal

VERBS: MappingProxyType[str, tuple[str, str]] = MappingProxyType(
    {
        "demo": ("server.cli.demo:main", "the main job on the examples; names what it wrote"),
        "serve": ("server.cli.serve:main", "serve pictures to Blender on this machine"),
        "batch": ("server.batch.command:main", "many views of many scenes to pictures, and on where it stopped"),
        "capture": ("server.batch.command:capture_main", "its first half: scenes to requests; no server, no torch"),
        "paint": ("server.batch.command:paint_main", "its second half: requests to pictures; no Blender"),
        "join": ("server.batch.join:main", "folders that several machines have filled to one"),
        "render": ("server.cli.render:main", "one .blend or .blockout.json to a picture"),
        "inspect": (
            "server.cli.pictures.inspection:main",
            "how a picture came about, step by step, as a page",
        ),
        "sequence": ("server.cli.pictures.sequence:main", "the frames of a sequence, each with the look of the first"),
        "models": ("server.cli.models:main", "what lies in your folders of models, and what of it fits"),
        "verify": ("server.cli.pictures.verify:main", "what a picture says of where it comes from, also in its pixels"),
        "doctor": ("server.cli.doctor:main", "what is installed, what fits, what is wrong, how to mend it"),
        "download": ("sg_core.models.loading:main", "a model of a hub, at its commit, before it is needed"),
        "check": ("benchmarks.check:main", "does a model do here what it must?"),
        "bench placement": ("benchmarks.placement.command:main", "are the things where the blocks are?"),
        "bench edits": ("benchmarks.edits.run:main", "is the look kept, and nothing else changed?"),
        "bench batch": ("benchmarks.batch.cost_and_kills:main", "what a batch costs beside painting, and loses"),
        "bench cost": ("benchmarks.cost:main", "what guidance costs, in ratios"),
        "bench gpu": ("benchmarks.gpu.gpu_bench:main", "what a guided step costs on this GPU, in 3 minutes"),
        "bench memory": ("benchmarks.memory:main", "what a model would take of a GPU's memory"),
        "bench layouts": ("benchmarks.external.painting:main", "paint the layouts of 7Bench or OverLayBench"),
        "bench masks": ("benchmarks.masks:main", "are the masks right, and quick?"),
        "bench server": ("benchmarks.serving.verb:main", "how quick is the server, and what does it stand?"),
        "bench window": ("benchmarks.window.measurement:main", "how long is Blender held?"),
        "toybox train": ("sg_core.toybox.train:main", "train the built-in model"),
        "toybox bench": ("sg_core.toybox.bench:main", "measure the built-in model"),
        "toybox sheets": (
            "sg_core.toybox.readers:main",
            "sheets of its pictures for readers",
        ),
    }
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the verb; the exit code is 0 when it did its job, 1 when it could not, 2 when there is no such verb."""
    words = list(sys.argv[1:] if argv is None else argv)
    for count in (2, 1):
        if (verb := " ".join(words[:count])) in VERBS:
            return _run(VERBS[verb][0], words[count:])
    if words[:1] in (["-h"], ["--help"]):
        with suppress(BrokenPipeError):
            say(_usage())
        return 0
    complain(_unknown(words) + _usage())
    return 2


def _run(target: str, words: Sequence[str]) -> int:
    stop_by_any_signal()
    with suppress(OSError):  # a home that cannot be written is no reason not to work; Start Server then needs a path
        server_command.note(server_command.own_command())
    try:
        code: int = resolve_name(target)(words)
    except (ClientError, CommandError) as error:
        complain(str(error))
        return getattr(error, "exit_code", 1)
    except BrokenPipeError:  # whoever read what we say has gone
        return 1
    except OSError as error:
        complain(in_words(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _unknown(words: Sequence[str]) -> str:
    """Which verb there is not: with its second word, where the first begins verbs of two; "" for no words at all."""
    if not words:
        return ""
    group = any(verb.startswith(f"{words[0]} ") for verb in VERBS)
    return f'There is no verb "{" ".join(words[: 1 + group])}".\n\n'


def _usage() -> str:
    width = max(map(len, VERBS))
    rows = "\n".join(f"  {verb:{width}}  {purpose}" for verb, (_, purpose) in VERBS.items())
    return f"usage: maquette VERB [OPTIONS]\n\n{rows}\n\nmaquette VERB --help says more."
