# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs while the add-on is enabled: the application object, its event loop and timers, the preferences."""
