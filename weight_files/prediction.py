# SPDX-License-Identifier: MIT
"""What a checkpoint of a UNet predicts where it says so: noise, or velocity (Salimans & Ho 2022).

No tensor of its network tells. Fine-tunes of XL carry an empty tensor ``v_pred``, and ``ztsnr`` where the first step is
nothing but noise (Lin et al. 2024); others say it in the notes of their header, in the YAML file of their first code
that lies beside them, or only in their names.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weight_files.safetensors_header import Header, read_header

NOTE = "modelspec.prediction_type"
NOTED: Mapping[str, str] = {"v": "v_prediction", "v_prediction": "v_prediction", "epsilon": "epsilon"}
BESIDE = re.compile(r"""^\s*parameterization:\s*["']?v["']?\s*(?:#.*)?$""", re.MULTILINE)
NAMED = re.compile(r"v[-_. ]?pred(?!ator|ict(?!ion))", re.IGNORECASE)
LONGEST = 100_000  # bytes of a YAML file; that of a model has two thousand


def is_of_edm(scheduler: Mapping[str, Any]) -> bool:
    """Whether a scheduler's configuration is of EDM's kind (Karras et al. 2022), as Playground 2.5's is: its network
    predicts neither of the two, whatever else is said."""
    return str(scheduler.get("_class_name", "")).startswith("EDM")


def stated_noise(file: Path) -> dict[str, Any]:
    """What a checkpoint says of its noise, as changes to the configuration of its scheduler; none where it says none.

    Raises Unreadable, OSError.
    """
    header = read_header(file)
    kind = _prediction(file, header)
    stated: dict[str, Any] = {"prediction_type": kind} if kind else {}
    if "ztsnr" in header.tensors:
        stated |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return stated


def _prediction(file: Path, header: Header) -> str:
    """As diffusers calls it; "" where nothing is said."""
    if "v_pred" in header.tensors:
        return "v_prediction"
    if noted := NOTED.get(header.notes.get(NOTE, "").strip().lower()):
        return noted
    return "v_prediction" if _says_velocity(file.with_suffix(".yaml")) or NAMED.search(file.stem) else ""


def _says_velocity(beside: Path) -> bool:
    if not beside.is_file() or beside.stat().st_size > LONGEST:
        return False
    return BESIDE.search(beside.read_text("utf-8", "replace")) is not None
