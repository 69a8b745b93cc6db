# SPDX-License-Identifier: MIT
"""The families that are painted through diffusers' pipelines, a file each."""
