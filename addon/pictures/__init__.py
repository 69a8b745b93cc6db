# SPDX-License-Identifier: GPL-3.0-or-later
"""Finished pictures: on disk, in the file, behind the camera, and while they are painted."""
