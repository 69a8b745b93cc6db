# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that ask for a picture and set what is asked."""
