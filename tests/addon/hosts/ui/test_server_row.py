# SPDX-License-Identifier: MIT
"""The server's row: what it says is not cut off by the button beside it."""

import pytest

from addon.ui.panels.server import LABELS, ROOM

ALONE = {"starting", "stopping", "online", "connecting", "offline"}  # Start Server is not beside these


@pytest.mark.parametrize("name", LABELS)
def test_a_state_fits_beside_the_button_that_mends_it(name):
    assert len(LABELS[name][0]) <= ROOM or name in ALONE
