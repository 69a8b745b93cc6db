# SPDX-License-Identifier: MIT
"""The handlers by which the add-on hears of edits."""

import bpy

from addon.overlay import edits


def test_handlers_that_a_script_cleared_are_called_again():
    handlers = [("depsgraph_update_post", len), ("frame_change_post", len)]
    for name, handler in handlers:
        getattr(bpy.app.handlers, name).append(handler)
    assert not edits.listen_again(handlers)
    bpy.app.handlers.frame_change_post.clear()
    assert edits.listen_again(handlers) and bpy.app.handlers.frame_change_post[:] == [len]
    bpy.app.handlers.depsgraph_update_post.clear()
    edits.unlisten(handlers)  # which never minds what is gone
    assert not bpy.app.handlers.frame_change_post
