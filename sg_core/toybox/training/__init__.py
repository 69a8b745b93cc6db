# SPDX-License-Identifier: MIT
"""Training Toybox: scenes as they stream, the denoiser, the decoder, the Judges."""
