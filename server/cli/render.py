# SPDX-License-Identifier: MIT
"""``maquette render``: a .blend, or the blockout of one, to a picture; the whole way, without a window."""

import argparse
import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

from addon.blender_process import SceneFile
from addon.client.api import Client, connect, find_connection
from addon.client.exceptions import ClientError, ServerAbsent
from addon.protocol.answers import Achieved, Event, ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.step_counts import all_steps
from addon.protocol.strict_json import ContractError, dump, load
from addon.request.limits import LimitExceeded, check_settings
from addon.request.settings import FLAGS, SENT, add_flags, from_flags

from ..catalogue import is_checkpoint, offered, offered_name
from ..errors import CommandError
from ..http.host import running
from ..settings import ServerSettings
from . import blender_process
from .files import ELSEWHERE, refuse_to_differ, refuse_to_overwrite, refuse_to_replace, scratch, write, writing
from .following import PATIENCE, ServerLink, painted
from .layout_flags import add_layout_flags, changed
from .pictures.layout_source import add_object_flag, request_of_picture
from .reference_flags import PictureToFollow, add_reference_flags, follow, named_files
from .region_report import Result, outcomes, tell
from .request_files import asks_for, changes_of, check_captured, is_request, read_request, stem_of
from .terminal import bar, complain

LAST_FRAME = 1_048_574
DRAIN = 0.3  # seconds


class CannotRender(CommandError):
    """Why there is no picture."""


async def render(
    link: ServerLink,
    source: SceneFile | Blockout,
    settings: Mapping[str, Any],
    name: str | None,
    out: Path,
    program: Path | None,
    change: Callable[[Blockout], Blockout] = lambda blockout: blockout,
    follows: Callable[[Blockout], PictureToFollow | None] = lambda blockout: None,
    overwrite: bool = False,
    scene_copy: bool = True,
) -> Result:
    """Captures (or reads) the blockout, has it painted, and writes picture.png, blockout.json and scene.blend.

    ``settings``, by name, count before the scene's; ``name`` is the model's, the server's first by default; ``program``
    is the Blender to use instead of bpy. ``change`` has the last word on the blockout, and ``follows`` says which
    picture it follows. What is there is only replaced to ``overwrite`` it, and the scene itself never; without
    ``scene_copy`` there is no scene.blend.
    """
    has_scene = isinstance(source, SceneFile) and not is_request(source.path) and scene_copy
    result = Result(out / "picture.png", out / "blockout.json", out / "scene.blend" if has_scene else None)
    refuse_to_overwrite(result.picture, overwrite)
    if result.scene is not None and isinstance(source, SceneFile):
        refuse_to_replace(result.scene, source.path)
        refuse_to_overwrite(result.scene, overwrite)
    blockout = await _blockout(link, source, settings, name, program)
    read = None if isinstance(source, Blockout) else source.path
    blockout, files = await _noted(link, change(blockout), follows, result.blockout, read, overwrite)
    picture, achieved = await paint(link, blockout, files)
    refuse_to_overwrite(result.picture, overwrite)  # another command may have been quicker
    with writing(out, ELSEWHERE):
        write(result.picture, picture)
    if result.scene is not None and isinstance(source, SceneFile):
        with bar(desc="projecting", total=1) as progress:
            await blender_process.apply(source, result.picture, result.blockout, achieved, result.scene, program)
            progress.update()
    return replace(result, regions=tuple(outcomes(blockout, achieved)))


async def _blockout(
    link: ServerLink,
    source: SceneFile | Blockout,
    settings: Mapping[str, Any],
    name: str | None,
    program: Path | None,
) -> Blockout:
    """The blockout itself, the one that a file carries, or that of a scene, which is captured."""
    if isinstance(source, Blockout):
        return source
    if is_request(source.path):
        return read_blockout(source.path, settings, name)
    model = await chosen(link, name)
    with bar(desc="capturing", total=1) as progress:
        blockout = await blender_process.capture(source, settings, model, program)
        progress.update()
    return blockout


async def _noted(
    link: ServerLink,
    blockout: Blockout,
    follows: Callable[[Blockout], PictureToFollow | None],
    file: Path,
    read: Path | None,
    overwrite: bool,
) -> tuple[Blockout, tuple[bytes, ...]]:
    """The request as it is sent, its files pinned, and the pictures that it refers to: written to ``file`` and beside
    it. One that a try before has left there is replaced; the one that was ``read`` by itself alone. Raises
    WouldReplace."""
    blockout = await link.call(methodcaller("pinned", blockout))
    if (picture_to_follow := follows(blockout)) is not None:
        blockout = picture_to_follow.blockout
    beside = named_files(picture_to_follow)
    if read is not None and file.exists() and file.samefile(read) and not asks_for(file, blockout):
        refuse_to_overwrite(file, overwrite)
    for name, png in beside.items():
        refuse_to_differ(file.parent / name, png, overwrite)
    with writing(file.parent, ELSEWHERE):  # not before: what cannot be captured leaves nothing behind
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, json.dumps(dump(blockout)).encode())
        for name, png in beside.items():
            write(file.parent / name, png)
    return blockout, () if picture_to_follow is None else picture_to_follow.files


async def paint(
    link: ServerLink, blockout: Blockout, files: Sequence[bytes] = ()
) -> tuple[bytes, tuple[Achieved, ...]]:
    """The picture of a blockout that refers to these PNG ``files``, as PNG, and what it shows, with a progress bar in a
    terminal.

    Raises NotPainted when the job does not get done, ServerLost when the server goes for good.
    """
    with bar(desc="painting", total=all_steps(blockout)) as progress:

        def watch(event: Event) -> None:
            phase = event.phase or event.state
            progress.set_postfix_str("" if phase == "painting" else phase)
            progress.update(event.step - progress.n)

        picture = await painted(link, blockout, uuid.uuid4().hex, watch, files)
    return picture.png, picture.achieved


async def chosen(link: ServerLink, name: str | None) -> ModelInfo:
    """The server's model of that name, or its first. Raises CannotRender."""
    models = await link.call(Client.models)
    named = [model for model in models if name in (None, model.name)]
    if not named:
        raise CannotRender(f"The server has no model {name}; it has {', '.join(model.name for model in models)}")
    return named[0]


def read_blockout(path: Path, settings: Mapping[str, Any], name: str | None) -> Blockout:
    """The blockout that a file carries, with the settings and the model that the command line names.

    Raises NotARequest, CannotRender.
    """
    sent = {field: settings[field] for field in SENT if field in settings}
    request = read_request(path)
    try:
        return load(Blockout, dump(request) | changes_of(request, sent, name))
    except ContractError as error:
        raise CannotRender(f"{path} cannot be painted so: {error}") from error


@asynccontextmanager
async def server(
    connection: Path | None, models: Sequence[Path] = (), adapters: Sequence[Path] = ()
) -> AsyncIterator[Client]:
    """The server whose connection file is named; else the one that runs; else one of our own, for as long as needed,
    with these models, and folders of adapters.

    What runs may be of no use: of another version, or no server of ours at all. Then it is said, and ours is used.
    """
    client = await _running(connection) if connection is not None or not (models or adapters) else None
    if client is not None:
        yield client
        return
    with scratch() as folder:
        async with running(own_server(folder, models, adapters)) as (_, own):
            yield await connect(own)


@asynccontextmanager
async def link(
    connection: Path | None, models: Sequence[Path] = (), adapters: Sequence[Path] = (), patience: float = PATIENCE
) -> AsyncIterator[ServerLink]:
    """The way to a ``server``, which is followed when it starts anew; not our own, which ends with the command."""
    async with server(connection, models, adapters) as client:
        find = partial(find_connection, connection)
        yield ServerLink(client, find if _is_running(client, connection) else None, patience)


def _is_running(client: Client, connection: Path | None) -> bool:
    """Whether it is a server of its own, and not one for as long as this command runs."""
    try:
        return find_connection(connection).address == client.connection.address
    except ClientError:
        return False


def own_server(folder: Path, models: Sequence[Path] = (), adapters: Sequence[Path] = ()) -> ServerSettings:
    """A server for one command: what it paints is nobody's once the command ends, and is not waited for."""
    folders = tuple(path.absolute() for path in adapters)
    return ServerSettings(home=folder / "home", models=offered(models), adapters=folders, drain=DRAIN)


async def _running(connection: Path | None) -> Client | None:
    try:
        return await connect(find_connection(connection))
    except ClientError as error:
        if connection is not None:  # this one was asked for
            raise
        if not isinstance(error, ServerAbsent):
            complain(f"{error.message}; a server of our own paints instead")
        return None


def main(argv: Sequence[str]) -> int:
    """``maquette render``."""
    asyncio.run(_main(_parser().parse_args(argv)))
    return 0


def settings_from(words: argparse.Namespace) -> dict[str, Any]:
    """The settings that a command line gives. Raises CannotRender for those outside their bounds."""
    settings = from_flags(words)
    try:
        check_settings(settings)
    except LimitExceeded as error:
        raise CannotRender(str(error)) from error
    return settings


async def _main(words: argparse.Namespace) -> None:
    settings = settings_from(words)
    if not words.scene.is_file():
        raise CannotRender(f"There is no file {words.scene}")
    is_local = words.model is not None and (Path(words.model).is_dir() or is_checkpoint(Path(words.model)))
    models = [Path(words.model)] if is_local else []
    name = offered_name(words.model) if is_local else words.model
    if is_request(words.scene) and not words.objects:
        check_captured([*(name for name in ("camera", "frame") if getattr(words, name) is not None), *settings])
    if words.server is not None and (models or words.lora_folders):
        raise CannotRender("--server has its own models and --loras: start it with these, or leave --server out")
    out = words.out or Path("out") / stem_of(words.scene)
    source: SceneFile | Blockout = SceneFile(path=words.scene, camera=words.camera, frame=words.frame)
    async with link(words.server, models, words.lora_folders) as way:
        if words.objects:
            source, words = request_of_picture(words, settings, await chosen(way, name))
        multiples = {model.name: model.multiple for model in await way.call(Client.models)}
        change, follows = partial(changed, words=words, multiples=multiples), partial(follow, words=words)
        choices = (change, follows, words.overwrite, not words.no_scene)
        result = await render(way, source, settings, name, out, words.blender, *choices)
    tell(result, words.json)


def frame(text: str) -> int:
    """A frame's number. Raises ArgumentTypeError for one that Blender has not, ValueError for none."""
    number = int(text)
    if abs(number) > LAST_FRAME:
        raise argparse.ArgumentTypeError(f"{number} is no frame: Blender has those of -{LAST_FRAME} to {LAST_FRAME}")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="maquette render", description="Paint one scene.")
    parser.add_argument("scene", type=Path, help="a .blend file, a *.blockout.json, or a picture of ours")
    parser.add_argument("--camera", help="the camera's name; the scene's own by default")
    parser.add_argument("--frame", type=frame, help="the frame to capture; the scene's own by default")
    add_flags(parser, [name for name, flag in FLAGS.items() if flag.help])
    add_layout_flags(parser)
    add_reference_flags(parser)
    add_object_flag(parser)
    parser.add_argument("--model", help="a model of the server, a diffusers folder or a checkpoint file")
    folder = "a folder of LoRAs, VAEs and ControlNets"
    parser.add_argument("--loras", dest="lora_folders", type=Path, action="append", default=[], help=folder)
    parser.add_argument("--server", type=Path, help="connection file of the server to use")
    parser.add_argument("--blender", type=Path, help="the Blender to use; by default bpy, in Python")
    parser.add_argument("--out", type=Path, help="folder of the results; out/SCENE by default")
    parser.add_argument("--overwrite", action="store_true", help="replace the picture that is there")
    parser.add_argument("--no-scene", action="store_true", help="write no scene.blend, which costs another Blender")
    parser.add_argument("--json", action="store_true", help="one line of JSON: the files, and what was achieved")
    return parser
