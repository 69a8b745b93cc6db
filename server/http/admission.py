# SPDX-License-Identifier: MIT
"""What a request may cost before it is let in: bytes to read, names to look up, and work for the model."""

from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.step_counts import enlarging_steps
from addon.protocol.strict_json import ContractError, loads

from ..problems import ChangedModel, Invalid, TooCostly, TooLarge, UnsupportedField
from ..settings import VERSION

T = TypeVar("T")

TEXTS = 8_192  # in one body: 64 regions have fewer than 2,000 names and values between quotes
ITEMS = 200_000  # commas: all texts of 64 regions, full of them, have fewer
LARGEST = 16  # a picture's area, in that of the model's own: its sides four times as long
LEAST = 128 * 128  # pixels that a model of less is taken to be made for: they are quick to paint
LONGEST = 1000  # steps of the model's own area, or as much work


def validated(adapter: TypeAdapter[T], body: bytes) -> T:
    """The record in a body. Raises TooLarge, UnsupportedField, Invalid.

    What it holds is counted before it is parsed: pydantic would describe each of a million unknown names.
    """
    quotes = body.count(b'"') - body.count(b'\\"')
    if quotes > 2 * TEXTS or body.count(b",") > ITEMS:
        raise TooLarge(f"A request may hold {TEXTS} texts and {ITEMS} commas")
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        fault: Any = error.errors(include_url=False, include_input=False)[0]
    own = fault.get("ctx", {}).get("error")
    path = [str(step) for step in fault["loc"]]
    if isinstance(own, ContractError):  # raised by a record about its own fields
        raise Invalid(own.problem, path=".".join([*path, own.path]))
    if fault["type"] == "unexpected_keyword_argument":  # what pydantic calls a key of no field
        raise UnsupportedField(f"This server, {VERSION}, has no such field", path=".".join(path))
    raise Invalid(fault["msg"], path=".".join(path))


def affordable(blockout: Blockout, model: ModelInfo) -> None:
    """Raises TooCostly for a picture that would keep the device for hours: a step cannot be broken off.

    Sides are rounded up to the model's multiples: a picture of its own area takes as many steps as any may. Those
    that refine it, never more than these, do not count.
    """
    area, own = blockout.width * blockout.height, max(model.area, LEAST)
    if area > LARGEST * own:
        raise TooCostly(
            f"{blockout.width} x {blockout.height} is more than {LARGEST} times the area {model.name} is made for",
            path="width",
        )
    if (blockout.width - model.multiple) * (
        blockout.height - model.multiple
    ) <= own:  # before its sides were rounded up
        area = min(area, own)
    first = area / blockout.enlargement**2
    work = first * blockout.steps + area * enlarging_steps(blockout)
    if work > LONGEST * own:
        most = int(LONGEST * own * blockout.steps / work)
        raise TooCostly(f"{model.name} takes {most} steps at most for pictures of this size", path="steps")


def refuse_changed(blockout: Blockout, fingerprint: str) -> None:
    """Raises ChangedModel for a request of a picture that another model of that name painted."""
    if blockout.fingerprint not in ("", fingerprint):
        detail = f"The files of {blockout.model}, or what configures them, have changed since this request was painted"
        raise ChangedModel(detail, path="fingerprint")


def is_same_request(blockout: Blockout, queued: str) -> bool:
    """Whether this is the request that is queued, as JSON, but for the sums of files that were pinned then."""
    try:
        earlier = loads(Blockout, queued)
    except ContractError:
        return False
    if len(blockout.loras) != len(earlier.loras):
        return False
    loras = tuple(
        replace(lora, sha256=lora.sha256 or pinned.sha256)
        for lora, pinned in zip(blockout.loras, earlier.loras, strict=True)
    )
    vae = blockout.vae
    if vae is not None and earlier.vae is not None:
        vae = replace(vae, sha256=vae.sha256 or earlier.vae.sha256)
    control = blockout.control
    if control is not None and earlier.control is not None:
        control = replace(control, sha256=control.sha256 or earlier.control.sha256)
    return replace(blockout, loras=loras, vae=vae, control=control) == earlier
