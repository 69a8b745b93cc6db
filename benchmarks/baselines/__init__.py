# SPDX-License-Identifier: MIT
"""What a user would pick instead: published methods in our own words, on one loop and one way of reading attention.

Each file names its source. All of them paint with the model's own steps, scale and scheduler, so that only what they
do about a layout differs; what their papers give in steps of 50 is given here as a share of all steps.
"""
