# SPDX-License-Identifier: MIT
"""`maquette bench placement`: methods paint drawn layouts, and Judges look at the pictures."""
