# SPDX-License-Identifier: MIT
"""``maquette doctor``: what is installed, what paints, which models fit, what is wrong and how to mend it."""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from addon.client.api import connect, find_connection
from addon.client.exceptions import ClientError
from addon.protocol.answers import Health
from addon.protocol.model_files import Library
from addon.protocol.paths import home
from addon.protocol.strict_json import dump
from weight_files.safetensors_header import Unreadable, amount

from ..catalogue import DEFAULT, PACKAGE_NEEDED, NotAModel, described, facts
from ..models.folder_parts import refuse_incomplete
from ..settings import VERSION, ServerSettings
from .device import DeviceReport, device_report
from .models import library_of, needs_words
from .terminal import say

PYTHONS = ((3, 11), (3, 14))
ROOM = 2 * 2**30  # bytes of disk below which pictures soon have none
WIDTH = 100
MARKS = {"good": "ok  ", "note": "note", "bad": "BAD "}


@dataclass(frozen=True)
class Check:
    """One line: its subject, how it is, in words, and what to do about it. What is ``bad`` keeps pictures away."""

    name: str
    state: Literal["good", "note", "bad"]
    words: str
    fix: str = ""


def main(argv: Sequence[str]) -> int:
    """``maquette doctor``: 0 where nothing is bad, 1 where something is."""
    flags = argparse.ArgumentParser(prog="maquette doctor", description=__doc__)
    flags.add_argument("--models", type=Path, action="append", default=[], help="also look into this folder")
    flags.add_argument("--home", type=Path, default=home(), help="folder of queue, pictures and connection file")
    flags.add_argument("--quick", action="store_true", help="without the memory that models need")
    flags.add_argument("--json", action="store_true", help="one line of JSON instead")
    words = flags.parse_args(argv)
    device = device_report()
    settings = ServerSettings(home=words.home, folders=tuple(folder.absolute() for folder in words.models))
    library = library_of(settings, None if words.quick else device)
    findings = [*of_installation(), *of_device(device), *of_home(words.home), *of_server(words.home)]
    findings += of_models(library)
    if words.json:
        say(json.dumps({"findings": [asdict(finding) for finding in findings], "library": dump(library)}))
    else:
        say("\n".join(line for finding in findings for line in lines_of(finding)))
    return int(any(finding.state == "bad" for finding in findings))


def lines_of(finding: Check) -> Iterator[str]:
    """For people: how it is, and below it what to do."""
    head, indent = f"{MARKS[finding.state]}  {finding.name:14}  ", " " * 22
    yield textwrap.fill(finding.words, WIDTH, initial_indent=head, subsequent_indent=indent)
    if finding.fix:
        yield textwrap.fill(finding.fix, WIDTH, initial_indent=f"{indent}→ ", subsequent_indent=f"{indent}  ")


def of_installation() -> Iterator[Check]:
    """Python, Maquette, and what it stands on."""
    version, words = sys.version_info[:2], f"{sys.version.split()[0]}, {sys.executable}"
    good = PYTHONS[0] <= version <= PYTHONS[1]
    fix = "" if good else "Install Maquette with a Python of 3.11 to 3.14."
    yield Check("Python", "good" if good else "bad", words, fix)
    wrong = list(unmet(metadata.requires("maquette") or ()))
    if wrong:
        fix = f"Install them: {sys.executable} -m pip install {' '.join(repr(need) for need, _ in wrong)}"
        yield Check("packages", "bad", "; ".join(words for _, words in wrong), fix)
    else:
        yield Check("Maquette", "good", f"{VERSION}, with all that it needs")
    yield of_toybox()


def unmet(requirements: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(what is required, how it is) of each package that is absent, or of another version."""
    for requirement in map(Requirement, requirements):
        extras = ("", "server")
        if requirement.marker is not None and not any(requirement.marker.evaluate({"extra": e}) for e in extras):
            continue
        need = f"{requirement.name}{requirement.specifier}"
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield need, f"{requirement.name} is missing"
        else:
            if not requirement.specifier.contains(version, prereleases=True):
                yield need, f"{requirement.name} is {version}, and {requirement.specifier} is needed"


def of_toybox() -> Check:
    """The model that ships."""
    fix = "Install Maquette again: its own files are damaged."
    try:
        model = described(DEFAULT)
        refuse_incomplete(Path(model.source), [str(family["pipeline"]) for family in facts()["families"].values()])
    except (NotAModel, Unreadable, OSError) as error:
        return Check("Toybox", "bad", str(error), fix)
    return Check("Toybox", "good", f"whole, in {model.source}")


def of_device(device: DeviceReport) -> Iterator[Check]:
    """What computes, and whether a better one lies idle."""
    if device.trouble:
        fix = "Repair the installation: in the add-on's preferences, or install torch again as pytorch.org says."
        yield Check("torch", "bad", f"torch does not work: {device.trouble}", fix)
        return
    built = f" for {device.built_for}" if device.built_for else " for the CPU"
    yield Check("torch", "good", f"{device.torch}{built}")
    memory = f"{amount(device.memory.free)} of {amount(device.memory.total)} free" if device.memory else ""
    if device.gpu:
        yield Check("device", "good", f"{device.gpu}, {memory}")
        if not device.bfloat16:
            words = "this card has no bfloat16: XL is computed in float16, 1.5 in float32, the others slowly"
            yield Check("precision", "note", words, "Choose Stable Diffusion XL or 1.5 and their kin.")
        return
    yield Check("device", "good", f"CPU, {device.threads} threads, {memory}")
    if shutil.which("nvidia-smi"):
        words = f"an NVIDIA card seems to be here, and torch {device.torch} does not use it"
        fix = "Install torch for CUDA: Torch for, in the add-on's Install the Server…; or bring the driver up to date."
        yield Check("card", "note", words, fix)


def of_home(folder: Path) -> Iterator[Check]:
    """Where queue and pictures are kept."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        fix = "Give yourself the right to write there, or name another folder with MAQUETTE_HOME."
        yield Check("home", "bad", f"{folder} cannot be written: {error.strerror or error}", fix)
        return
    if free < ROOM:
        yield Check("home", "note", f"{folder} has only {amount(free)} left", "Make room on that disk.")
    else:
        yield Check("home", "good", f"{folder}, {amount(free)} free")
    if os.environ.get("HF_HUB_OFFLINE"):
        words = "HF_HUB_OFFLINE is set: models of a hub are taken from its cache alone"
        yield Check("hub", "note", words, "Unset it to download one.")


def of_server(folder: Path) -> Iterator[Check]:
    """Whether one runs, and of which version."""
    try:
        health = asyncio.run(_health(folder / "connection.json"))
    except ClientError as error:
        state: Literal["note", "bad"] = "note" if error.code == "server-absent" else "bad"
        yield Check("server", state, error.message, error.fix)
        return
    if health.trouble:
        yield Check("server", "bad", health.trouble, "Its log says more; start it again.")
    else:
        loaded = f"{health.model} in memory" if health.model else "no model in memory"
        yield Check("server", "good", f"{health.version} runs on {health.device}, {loaded}")


async def _health(connection: Path) -> Health:
    return await (await connect(find_connection(connection))).health()


def of_models(library: Library) -> Iterator[Check]:
    """Which of them fit, and what is wrong with their folders."""
    for folder in library.folders:
        if folder.trouble:
            yield Check("folder", "bad", f"{folder.path}: {folder.trouble}", "maquette models --remove takes it off.")
    good = [file for file in library.files if not file.trouble]
    for file in good:
        words = f"{file.name}: {needs_words(file, library)}" if file.needs else f"{file.name}: {file.family}"
        large = file.fits == "too large"
        fix = "Choose a smaller model, or a smaller picture." if large else ""
        yield Check("model", "note" if large else "good", words, fix)
    if others := len(library.files) - len(good):
        yield Check("files", "note", f"{others} in your folders are no models", "maquette models says why of each.")
    if waiting := sum(PACKAGE_NEEDED in file.trouble for file in library.files):
        words = f"{waiting} in your folders are networks in GGUF, which need one package more"
        yield Check("GGUF", "note", words, "Install it: pip install 'maquette[gguf]'.")
    for fault in library.card_faults:
        yield Check("card", "bad", fault, "Correct that line, or take the file away.")
    if not good:
        words = "no model lies in them" if library.folders else "no folder of models is named"
        yield Check("folders", "note", f"{words}: Toybox alone is offered", "maquette models --add FOLDER names one.")
