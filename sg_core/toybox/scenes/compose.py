# SPDX-License-Identifier: MIT
"""Scenes to pictures with true masks, in torch, on any device, a batch at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.toybox.scenes.atlas import LUMA, Atlas
from sg_core.toybox.scenes.backdrops import paint
from sg_core.toybox.scenes.looks import COLOURS
from sg_core.toybox.scenes.patterns import decorate
from sg_core.toybox.scenes.places import PLACES, Place
from sg_core.toybox.scenes.scene import Scene, SceneObject

BRIGHTER = {"yellow": 1.3, "orange": 1.12}  # at the brightness of most pictures a yellow is olive, an orange brown


@dataclass(frozen=True)
class Pictures:
    """A batch of pictures; `visible` and `full` are coverage (batch, thing, height, width), far to near."""

    rgb: Tensor
    visible: Tensor
    full: Tensor


def compose(scenes: Sequence[Scene], atlas: Atlas, width: int, height: int) -> Pictures:
    """Paint scenes of one size: rgb (batch, 3, height, width) in 0..1, on the atlas's device."""
    device = atlas.pixels.device
    horizon = torch.tensor([scene.horizon for scene in scenes], device=device)
    phase = torch.tensor([scene.phase for scene in scenes], device=device)
    rgb = paint([scene.place for scene in scenes], horizon, phase, width, height, device)
    slots = max(len(scene.objects) for scene in scenes)
    owners = [(row, slot) for row, scene in enumerate(scenes) for slot in range(len(scene.objects))]
    objects = [scenes[row].objects[slot] for row, slot in owners]
    places = [PLACES[scenes[row].place] for row, _ in owners]

    layers = torch.zeros(len(scenes), slots, 4, height, width, device=device)
    index = torch.tensor(owners, device=device).unbind(1)
    grid = sampling_grid(objects, atlas, width, height)
    coloured = recolour(sprites(objects, atlas, grid), objects, atlas)
    layers[index] = decorate(coloured, objects, atlas, grid) * light(places, device)
    strength = torch.tensor([place.shadow for place in places], device=device)
    shadows = torch.zeros(len(scenes), slots, 1, height, width, device=device)
    shadows[index] = strength.view(-1, 1, 1, 1) * shadow(objects, horizon[index[0]], width, height)

    behind = torch.ones(len(scenes), height, width, device=device)
    visible = torch.zeros(len(scenes), slots, height, width, device=device)
    for slot in range(slots):
        alpha = layers[:, slot, 3:]
        rgb = rgb * (1 - shadows[:, slot])
        rgb = rgb * (1 - alpha) + layers[:, slot, :3]
    for slot in reversed(range(slots)):
        visible[:, slot] = layers[:, slot, 3] * behind
        behind = behind * (1 - layers[:, slot, 3])
    return Pictures(rgb.clamp(0, 1), visible, layers[:, :, 3])


def sprites(objects: Sequence[SceneObject], atlas: Atlas, grid: Tensor) -> Tensor:
    """Each thing alone on its frame, premultiplied: (thing, 4, height, width) of a grid (thing, height, width, 2)."""
    device = atlas.pixels.device
    height, width = grid.shape[1:3]
    side = math.sqrt(width * height)
    picture = torch.zeros(len(objects), 4, height, width, device=device)
    levels = torch.tensor([math.log2(256 * 0.8 / max(t.width * side, t.height * side, 1)) for t in objects])
    chosen = levels.floor().clamp(0, len(atlas.levels) - 1).long()
    tiles = torch.tensor([item.tile for item in objects], device=device)
    for level in sorted(set(chosen.tolist())):
        rows = (chosen == level).nonzero()[:, 0].to(device)
        picture[rows] = F.grid_sample(atlas.levels[level][tiles[rows]], grid[rows], align_corners=False)
    return picture


def sampling_grid(objects: Sequence[SceneObject], atlas: Atlas, width: int, height: int) -> Tensor:
    """Where in its tile each output pixel looks: rotated, flipped, warped; (thing, height, width, 2) in -1..1."""
    device = atlas.pixels.device

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, device=device).view(-1, 1, 1)

    side = math.sqrt(width * height)
    x = (torch.arange(width, device=device) + 0.5) / width - column([t.x for t in objects])
    y = ((torch.arange(height, device=device) + 0.5) / height).view(1, -1, 1) - column([t.y for t in objects])
    x, y = x * (width / side), y * (height / side)
    cos, sin = column([math.cos(t.angle) for t in objects]), column([math.sin(t.angle) for t in objects])
    u = (cos * x + sin * y) / column([t.width / 2 for t in objects])
    v = (cos * y - sin * x) / column([t.height / 2 for t in objects])
    bend_u, bend_v, phase_u, phase_v = (column([t.warp[k] for t in objects]) for k in range(4))
    u, v = u + bend_u * torch.sin(3 * v + 6.28 * phase_u), v + bend_v * torch.sin(3 * u + 6.28 * phase_v)
    u = u * column([-1.0 if t.flip else 1.0 for t in objects])
    boxes = torch.tensor([atlas.tiles[t.tile].box for t in objects], device=device) * 2 - 1
    left, top, right, bottom = (boxes[:, k].view(-1, 1, 1) for k in range(4))
    return torch.stack([(left + right) / 2 + u * (right - left) / 2, (top + bottom) / 2 + v * (bottom - top) / 2], -1)


def recolour(picture: Tensor, objects: Sequence[SceneObject], atlas: Atlas) -> Tensor:
    """Turn each thing's hue toward its colour (or jitter it), and its brightness: a 3x3 matrix a thing."""
    matrices = torch.stack([colour_matrix(item, *atlas.hues[item.tile].tolist()) for item in objects])
    rgb = torch.einsum("nij,njyx->niyx", matrices.to(picture.device), picture[:, :3])
    alpha = picture[:, 3:]
    return torch.cat([torch.minimum(rgb.clamp_min(0), alpha), alpha], 1)


def colour_matrix(item: SceneObject, hue: float, strength: float) -> Tensor:
    """Rotation in the I-Q plane; greyish pictures (low chroma) get colour added, so that a blue elephant is blue."""
    to_yiq = torch.tensor([LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)])
    turn, added = item.hue, torch.zeros(3, 3)
    if item.colour is not None:
        target = math.radians(COLOURS[item.colour]) + 0.3 * item.hue
        turn = target - hue
        missing = max(0.0, 0.24 - strength)
        added[1, 0], added[2, 0] = missing * math.cos(target), missing * math.sin(target)
    cos, sin = math.cos(turn), math.sin(turn)
    rotation = torch.tensor([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    bright = item.shade * BRIGHTER.get(item.colour or "", 1.0)
    matrix: Tensor = bright * torch.linalg.inv(to_yiq) @ (rotation + added) @ to_yiq
    return matrix


def light(places: Sequence[Place], device: torch.device) -> Tensor:
    """The place's light on a thing, as factors for RGBA: (thing, 4, 1, 1)."""
    return torch.tensor([(*place.light, 1.0) for place in places], device=device).view(-1, 4, 1, 1)


def shadow(objects: Sequence[SceneObject], horizon: Tensor, width: int, height: int) -> Tensor:
    """Soft contact shadows for things whose foot is below the horizon: (thing, 1, height, width) in 0..1."""
    device, side = horizon.device, math.sqrt(width * height)

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, device=device).view(-1, 1, 1, 1)

    x = ((torch.arange(width, device=device) + 0.5) / width - column([t.x for t in objects])) * (width / side)
    foot = [t.y + 0.47 * t.height * side / height for t in objects]
    y = (((torch.arange(height, device=device) + 0.5) / height).view(1, 1, -1, 1) - column(foot)) * (height / side)
    wide = column([0.5 * t.width for t in objects])
    blob = torch.exp(-2 * ((x / wide) ** 2 + (y / (0.22 * wide)) ** 2))
    grounded = ((column(foot) - horizon.view(-1, 1, 1, 1)) * 12).clamp(0, 1)
    return blob * grounded
