# SPDX-License-Identifier: MIT
"""``maquette bench gpu``: what a guided step costs on a GPU, at real size, with random weights."""
