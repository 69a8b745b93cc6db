# SPDX-License-Identifier: MIT
"""What a batch costs beside painting, and what is lost when it is killed."""
