# SPDX-License-Identifier: MIT
"""``maquette batch``, ``capture`` and ``paint``: their flags.

They end with 0 when all is there, 1 when something of a scene is missing, 3 when the server was lost, 130 when they
were interrupted.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from addon.client.exceptions import ClientError
from addon.protocol.paths import cards_folder

from ..catalogue import DEFAULT, described, offered, offered_name
from ..cli.files import scratch
from ..cli.following import PATIENCE, ServerLost
from ..cli.terminal import complain
from ..models.card_files import CardFiles
from ..settings import ServerSettings
from .cluster.ray_cluster import ray_cluster
from .plan import BatchPlan, WrongPlan, frame_list, read_prompts, read_sets, seed_list
from .progress import NewsListener, listening
from .run import BatchOutcome, batch, capture, link, paint
from .sources import PictureSource

OUT = Path("out/batch")
MODELS = {"batch": "the server's first", "capture": DEFAULT, "paint": "each request's own"}  # without --model
ENGINE = ServerSettings.engine
NO_SERVER = ServerLost.exit_code
BatchWork = Callable[[PictureSource, NewsListener], Coroutine[Any, Any, BatchOutcome]]


def main(argv: Sequence[str]) -> int:
    """``maquette batch``."""
    parser = _parser("batch", "Paint many views of many scenes, and go on where it stopped.")
    _add_scenes(parser)
    _add_painting(parser)
    copies = "write a copy of each scene with its pictures behind its cameras"
    turn = "paint the cameras of a scene one after the other, each told what the pictures of the others show"
    parser.add_argument("--in-turn", action="store_true", help=turn)
    parser.add_argument("--scenes", dest="scenes_too", action="store_true", help=copies)
    words = parser.parse_args(argv)
    plan = plan_of(words)

    async def work(source: PictureSource, listen: NewsListener) -> BatchOutcome:
        flags = {"model": model_name(words), "overwrite": words.overwrite, "masks": words.masks, "listen": listen}
        return await batch(source, plan, words.out, blender=words.blender, scene_copies=words.scenes_too, **flags)

    return _painting(words, work)


def paint_main(argv: Sequence[str]) -> int:
    """``maquette paint``."""
    parser = _parser("paint", "Paint requests that were captured before; no Blender.")
    parser.add_argument("requests", type=Path, nargs="+", help="folders of maquette capture, blockouts, our pictures")
    folder = "a folder of pictures that requests refer to, and that do not lie beside them"
    parser.add_argument("--references", type=Path, action="append", default=[], metavar="DIR", help=folder)
    _add_painting(parser)
    words = parser.parse_args(argv)
    plan = plan_of(words)

    async def work(source: PictureSource, listen: NewsListener) -> BatchOutcome:
        flags = {"model": model_name(words), "overwrite": words.overwrite, "masks": words.masks, "listen": listen}
        return await paint(source, words.requests, plan, words.out, references=words.references, **flags)

    return _painting(words, work)


def capture_main(argv: Sequence[str]) -> int:
    """``maquette capture``."""
    parser = _parser("capture", "Write the requests of many views of many scenes; no server, no torch.")
    _add_scenes(parser)
    words = parser.parse_args(argv)
    plan = plan_of(words)
    (model,) = CardFiles(cards_folder()).stated([described(words.model or DEFAULT)])
    with listening(words.out, words.json) as listen:
        failed = asyncio.run(
            capture(plan, model, words.out, blender=words.blender, overwrite=words.overwrite, listen=listen)
        )
    return 1 if failed else 0


def plan_of(words: argparse.Namespace) -> BatchPlan:
    """What the flags ask for. Raises WrongPlan."""
    settings, regions = read_sets(words.set)
    cameras = getattr(words, "cameras", None) or ""
    names = dict.fromkeys(name.strip() for name in cameras.split(",") if name.strip())
    if words.best and words.seeds:
        raise WrongPlan("--best K takes K seeds from the scene's own upwards: leave --seeds out")
    prompts = getattr(words, "prompts", None)
    return BatchPlan(
        scenes=tuple(getattr(words, "scenes", ())),
        cameras=() if cameras == "all" else tuple(names),
        all_cameras=cameras == "all",
        frames=getattr(words, "frames", ()),
        prompts=read_prompts(prompts) if prompts else (),
        seeds=words.seeds,
        settings=settings,
        regions=regions,
        best=words.best,
        depth=getattr(words, "depth", False),
        keep_look=getattr(words, "keep_look", ""),
        in_turn=getattr(words, "in_turn", False),
    )


def _painting(words: argparse.Namespace, work: BatchWork) -> int:
    own = {"--actors": words.actors, "--loras": words.loras, "--engine": words.engine != ENGINE}
    if words.ray is None and (idle := [flag for flag, value in own.items() if value]):
        raise WrongPlan(f"{', '.join(idle)}: a server has its own; say --ray too, or leave that out")
    if words.ray is not None and words.server is not None:
        raise WrongPlan("--server and --ray both paint: leave one of them out")

    async def perform(listen: NewsListener) -> BatchOutcome:
        async with painting_source(words) as source:
            return await work(source, listen)

    with listening(words.out, words.json) as listen:
        try:
            return asyncio.run(perform(listen)).exit_code
        except ClientError as error:
            complain(str(error))
            return NO_SERVER


@asynccontextmanager
async def painting_source(words: argparse.Namespace) -> AsyncIterator[PictureSource]:
    """Whoever paints, as the flags say: a cluster, or the way to a server. Raises NoRay, ServerLost, ClientError."""
    if words.ray is None:
        async with link(words.server, patience=words.patience) as server:
            yield server
        return
    with scratch() as home:
        models = offered([] if words.model is None else [words.model])
        folders = tuple(path.absolute() for path in words.loras)  # an actor works in a folder of its own
        settings = ServerSettings(home=home, models=models, adapters=folders, engine=words.engine)
        async with ray_cluster(words.ray, settings, words.actors) as cluster:
            yield cluster


def patience(text: str) -> float:
    """Seconds. Raises ArgumentTypeError for what no clock reaches, ValueError for no number."""
    seconds = float(text)
    if not 0.0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no time to wait: say a number of seconds")
    return seconds


def actors(text: str) -> int:
    """How many. Raises ArgumentTypeError for fewer than none, ValueError for no number."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is no number of actors: say 1 or more, or leave it out")
    return number


def address(text: str) -> str:
    """Of a cluster. Raises ArgumentTypeError for none, for which Ray would take one of its own."""
    if not text.strip():
        raise argparse.ArgumentTypeError("say the address of a cluster, such as 10.0.0.5:6379, or 'local'")
    return text


def model_name(words: argparse.Namespace) -> str | None:
    """What the model is called that the flags name; a cluster has no server that has names for its folders."""
    named: str | None = words.model
    return offered_name(named) if named is not None and words.ray is not None else named


def _parser(verb: str, purpose: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"maquette {verb}", description=purpose)
    parser.add_argument("--seeds", type=seed_list, default=(), help="such as 0-3; the scene's own by default")
    parser.add_argument("--best", type=int, default=0, metavar="K", help="paint K seeds, keep the best apart")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="strength=0.6, castle.phrase=ruin"
    )
    parser.add_argument("--model", help=f"a model's name; {MODELS[verb]} by default")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results")
    parser.add_argument("--overwrite", action="store_true", help="paint anew what has changed since, or was changed")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each piece of news")
    return parser


def _add_scenes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenes", type=Path, nargs="+", help=".blend files")
    parser.add_argument("--frames", type=frame_list, default=(), help="such as 1-48,60; the scene's own by default")
    parser.add_argument("--cameras", help="all, or names with commas between; the scene's own by default")
    parser.add_argument("--prompts", type=Path, help="a file with a prompt a line; the scene's own by default")
    parser.add_argument("--depth", action="store_true", help="write what each view sees of depth beside it, as EXR")
    parser.add_argument("--blender", type=Path, help="the Blender to use; by default bpy, in Python")


def _add_painting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--masks", action="store_true", help="write object masks beside the pictures")
    look = "keep the look of the 'first' picture of each scene, seed and prompt, or of a picture that is named"
    parser.add_argument("--keep-look", default="", metavar="first|PICTURE", help=look)
    parser.add_argument("--server", type=Path, help="connection file of the server to use")
    parser.add_argument("--ray", type=address, metavar="ADDRESS", help="paint on a Ray cluster, or 'local'; no server")
    parser.add_argument("--actors", type=actors, default=0, help="with --ray: how many; one a GPU, else one a machine")
    parser.add_argument("--engine", default=ENGINE, metavar="MODULE:NAME", help="with --ray: what paints")
    folder = "with --ray: a folder of LoRAs, VAEs and ControlNets, the same on every machine"
    parser.add_argument("--loras", type=Path, action="append", default=[], help=folder)
    parser.add_argument("--patience", type=patience, default=PATIENCE, help="seconds to wait for a server that is away")
