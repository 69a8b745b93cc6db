# SPDX-License-Identifier: MIT
"""What a batch is to paint: scenes by cameras by frames by prompts by seeds, and what is set for all of them."""

import argparse
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import SEED_MAX, Blockout
from addon.protocol.strict_json import ContractError, dump, load
from addon.protocol.views import RegionChange, Views
from addon.request.limits import LimitExceeded, check_settings
from addon.request.phrases import said, swapped
from addon.request.settings import FLAGS, to_flags

from ..cli.files import in_words
from ..cli.request_files import changes_of
from ..errors import CommandError

FRAMES = (-1_048_574, 1_048_574)
MOST = 1_000_000  # numbers in one list
SWITCHES = MappingProxyType(
    dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)
)
RANGE = re.compile(r"(-?\d+)(?:-(-?\d+)(?::(\d+))?)?")
REGION_FIELDS: tuple[str, ...] = get_args(get_type_hints(RegionChange)["field"])


class WrongPlan(CommandError):
    """What cannot be planned, and why."""


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """What to paint of ``scenes``. What is empty is the scene's own: its camera, frame, prompt, seed.

    ``settings`` are by the names of Settings, and count before the scene's. ``best`` of 1 or more paints so many seeds
    of each view, from the scene's own upwards, and keeps the best one apart. ``depth`` has what each view sees written
    beside its picture. ``keep_look`` is "first", or the path of a picture: every other one keeps that look.
    ``in_turn`` paints the cameras of a scene one after the other, each told what the others show already. Raises
    WrongPlan for what does not go together.
    """

    scenes: tuple[Path, ...]
    cameras: tuple[str, ...] = ()
    all_cameras: bool = False
    frames: tuple[int, ...] = ()
    prompts: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    regions: tuple[RegionChange, ...] = ()
    best: int = 0
    depth: bool = False
    keep_look: str = ""
    in_turn: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.best <= MOST:
            raise WrongPlan(f"--best takes 1 to {MOST} seeds")
        others = {"--best": self.best, "--keep-look": self.keep_look, "exact": self.settings.get("exact")}
        if self.in_turn and (refused := [name for name, value in others.items() if value]):
            raise WrongPlan(f"--in-turn tells each view what the others show, which goes without {', '.join(refused)}")

    def views(self, model: ModelInfo) -> Views:
        """What a Blender is asked for."""
        return Views(
            cameras=self.cameras,
            all_cameras=self.all_cameras,
            frames=self.frames,
            prompts=self.prompts,
            regions=self.regions,
            flags=tuple(to_flags(self.settings)),
            model=model,
            depth=self.depth,
            in_turn=self.in_turn,
        )

    def by_blender(self) -> Sequence["BatchPlan"]:
        """What each Blender of a scene captures: all of it, or one seed where each has projections of its own."""
        return [replace(self, seeds=(seed,)) for seed in self.seeds] if self.in_turn and self.seeds else [self]

    def seeds_of(self, blockout: Blockout) -> Sequence[int]:
        """The seeds to paint a view with."""
        if self.best:
            return [(blockout.seed + number) % (SEED_MAX + 1) for number in range(self.best)]
        return self.seeds or [blockout.seed]


def scene_names(scenes: Sequence[Path]) -> dict[str, Path]:
    """Each scene by a name for its folder. Raises WrongPlan for scenes that are not there, or of one name."""
    if absent := [str(path) for path in scenes if not path.is_file()]:
        raise WrongPlan(f"There is no file {', '.join(absent)}")
    counts = Counter(path.stem for path in scenes)
    if shared := [name for name, count in counts.items() if count > 1]:
        raise WrongPlan(f"Several scenes are called {', '.join(shared)}: rename one, or give each a batch of its own")
    return {path.stem: path for path in scenes}


def number_list(text: str, least: int, most: int) -> tuple[int, ...]:
    """Numbers and ranges with commas between, each once and in order: 1-48,60 or 0-100:10. Raises ArgumentTypeError."""
    numbers: dict[int, None] = {}
    for part in text.split(","):
        match = RANGE.fullmatch(part.strip())
        if match is None:
            raise argparse.ArgumentTypeError(f"{part!r} is neither a number nor a range such as 1-48 or 0-100:10")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if not least <= first <= last <= most or step < 1:
            raise argparse.ArgumentTypeError(f"{part!r} must go up, and lie in {least} to {most}")
        if (last - first) // step >= MOST:
            raise argparse.ArgumentTypeError(f"{part!r} is more than {MOST:,} numbers: name fewer at a time")
        numbers |= dict.fromkeys(range(first, last + 1, step))
    return tuple(numbers)


def frame_list(text: str) -> tuple[int, ...]:
    """Frames, as ``number_list``."""
    return number_list(text, *FRAMES)


def seed_list(text: str) -> tuple[int, ...]:
    """Seeds, as ``number_list``."""
    return number_list(text, 0, SEED_MAX)


def read_prompts(path: Path) -> tuple[str, ...]:
    """A prompt a line, as it stands, quotes and commas too; empty lines and those that begin with # are none. Raises
    WrongPlan."""
    try:
        text = path.read_text("utf-8-sig")  # Windows' editors begin a file with a mark, which is no word
    except UnicodeDecodeError as error:
        raise WrongPlan(f"{path} holds no prompts that can be read: save it as UTF-8 ({error.reason})") from error
    except OSError as error:
        raise WrongPlan(f"{path} holds no prompts: {in_words(error)}") from error
    lines = [line.strip() for line in text.split("\n")]  # not splitlines, for which other characters end one too
    prompts = tuple(line for line in lines if line and not line.startswith("#"))
    if not prompts:
        raise WrongPlan(f"{path} holds no prompts: write one a line")
    for number, prompt in enumerate(prompts, 1):
        try:
            check_settings({"prompt": prompt})
        except LimitExceeded as error:
            raise WrongPlan(f"{path}, prompt {number}: {error}") from error
    return prompts


def read_sets(texts: Sequence[str]) -> tuple[dict[str, Any], tuple[RegionChange, ...]]:
    """Settings by name, and changes of regions, of ``strength=0.6`` and ``castle.phrase=ruin``. Raises WrongPlan."""
    settings: dict[str, Any] = {}
    regions = []
    for text in texts:
        name, equals, value = text.partition("=")
        region, dot, last = name.strip().rpartition(".")
        if not equals:
            raise WrongPlan(f"--set {text!r}: say NAME=VALUE, or REGION.FIELD=VALUE")
        if dot:
            regions.append(_change(text, region, last, value.strip()))
        else:
            settings[name.strip()] = _setting(text, name.strip(), value.strip())
    try:
        check_settings(settings)
    except LimitExceeded as error:
        raise WrongPlan(str(error)) from error
    return settings, tuple(regions)


def _setting(text: str, name: str, value: str) -> Any:
    if name not in FLAGS or name in ("prompt", "seed"):
        names = ", ".join(name for name in FLAGS if name not in ("prompt", "seed"))
        raise WrongPlan(f"--set {text!r}: there is no setting {name!r}; there is {names}")
    try:
        return SWITCHES[value.lower()] if FLAGS[name].type is bool else FLAGS[name].type(value)
    except KeyError as error:
        raise WrongPlan(f"--set {text!r}: say yes or no") from error
    except (ValueError, ContractError) as error:
        raise WrongPlan(f"--set {text!r}: {error}") from error


def _change(text: str, region: str, name: str, value: str) -> RegionChange:
    try:
        if name in ("strength", "start", "until") and not 0.0 <= float(value) <= 1.0:
            raise WrongPlan(f"--set {text!r}: it must lie in 0 to 1")
        if name == "colour" and [0.0 <= float(part) <= 1.0 for part in value.split(",")] != [True] * 3:
            raise WrongPlan(f"--set {text!r}: say red, green and blue, each 0 to 1, as 0.8,0.1,0.1")
        if name == "phrase" and not value:
            raise WrongPlan(f"--set {text!r}: a phrase has words")
        return load(RegionChange, {"region": region, "field": name, "value": value})
    except (ValueError, ContractError) as error:
        raise WrongPlan(f"--set {text!r}: a region has {', '.join(REGION_FIELDS)} to set, not that") from error


def changed(
    blockout: Blockout, settings: Mapping[str, Any], regions: Sequence[RegionChange], model: str | None = None
) -> Blockout:
    """A blockout that was captured before, with what is set since, and for the model of that name. Raises WrongPlan."""
    document = dump(blockout) | changes_of(blockout, settings, model)
    for change in regions:
        items = [item for item in document["regions"] if change.region in (item["name"], item["phrase"])]
        if not items:
            names = ", ".join(item["name"] for item in document["regions"]) or "none"
            raise WrongPlan(f"There is no region {change.region!r}; there is {names}")
        for item in items:
            if change.field == "phrase" and said(change.value, document["prompt"]) is None:
                document["prompt"] = swapped(document["prompt"], item["phrase"], change.value)
            item[change.field] = _value(change)
    try:
        return load(Blockout, document)
    except ContractError as error:
        raise WrongPlan(f"A request cannot be like that: {error}") from error


def _value(change: RegionChange) -> str | float | list[float]:
    if change.field == "colour":
        return [float(part) for part in change.value.split(",")]
    return change.value if change.field in ("phrase", "description") else float(change.value)


def with_seed(blockout: Blockout, seed: int) -> Blockout:
    """The same view with another seed."""
    return replace(blockout, seed=seed)
