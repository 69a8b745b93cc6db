# SPDX-License-Identifier: MIT
"""`maquette bench layouts`: other people's layouts in, pictures for their own evaluation and a table out."""
