# SPDX-License-Identifier: MIT
"""A decoder of twice the sides for a model that ships: its denoiser, words and latents stay as they are."""
