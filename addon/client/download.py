# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished picture, from the server to a file of its own. No bpy."""

from hashlib import sha256
from pathlib import Path

from ..protocol.answers import Artifact
from .api import Client
from .exceptions import PictureDamaged, PictureUnsaved, ServerProblem


async def fetch(client: Client, artifact: Artifact, folder: Path) -> Path:
    """The picture's file in ``folder``, fetched unless it is there.

    Raises PictureUnsaved, PictureDamaged, and as the client does.
    """
    path = folder / f"{artifact.sha256}.png"
    if not (path.exists() and path.stat().st_size == artifact.bytes):
        write(path, await download(client, artifact))
    return path


async def download(client: Client, artifact: Artifact) -> bytes:
    """A picture's bytes. Raises PictureDamaged where the server has lost them, or others than it promised."""
    fix = "The same seed paints it again."
    try:
        content = await client.artifact(artifact.sha256)
    except ServerProblem as error:
        if error.code != "unknown-artifact":
            raise
        raise PictureDamaged("The server has lost a finished picture", fix) from error
    if sha256(content).hexdigest() != artifact.sha256:
        raise PictureDamaged("A finished picture was damaged on the server", fix)
    return content


def write(path: Path, content: bytes) -> None:
    """Write a file at once: one cut short must never pass for whole, nor change while Blender has it mapped.

    Raises PictureUnsaved.
    """
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise PictureUnsaved(
            f"A picture cannot be kept in {path.parent}: {error.strerror}", "Make room there, or allow writing."
        ) from error
