# SPDX-License-Identifier: MIT
"""The local GPU server and the command line. The process that answers HTTP never imports torch."""
