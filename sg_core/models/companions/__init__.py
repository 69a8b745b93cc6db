# SPDX-License-Identifier: MIT
"""What lies beside a model: LoRAs, and how they call its layers; small decoders for previews."""
