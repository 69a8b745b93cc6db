# SPDX-License-Identifier: MIT
"""What a picture says of where it comes from, and what is not painted at all; each is the owner's to switch."""
