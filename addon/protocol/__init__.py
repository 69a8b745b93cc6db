# SPDX-License-Identifier: MIT
"""What travels between the add-on, the command line and the server. Standard library only, MIT."""
