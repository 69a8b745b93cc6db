# SPDX-License-Identifier: MIT
"""Pictures of the artist's that are not there, or are none: what is said names what has to be done about it."""

from pathlib import Path

import bpy
import pytest

from addon.messages import fixes
from addon.pictures import history
from addon.pictures.history import Entry, Thumb
from addon.regions.marks import TAKEN_FROM, mark, write
from addon.request.settings import DEFAULTS
from addon.runtime.app import App
from tests.addon.hosts.sample_scenes import box, fresh
from tests.addon.session.samples import blockout

EARLIER = "1" * 64  # which shows a castle and no rocket


@pytest.fixture
def scene(application: App) -> bpy.types.Scene:
    """A castle and a rocket; the history has a picture of the former."""
    scene = fresh()
    scene.maquette_prompt = "a castle and a rocket"
    for name, x in (("castle", -1.0), ("rocket", 1.0)):
        mark(box(name, (x, 0, 0)))
    folder, thumb = application.gallery.folder, Thumb(width=1, height=1, data="")
    history.keep(folder, Entry(name=EARLIER, created=0.0, request=blockout(), settings=DEFAULTS, pose=(), thumb=thumb))
    (folder / f"{EARLIER}.png").write_bytes(b"")
    return scene


@pytest.mark.parametrize(("name", "picture"), [("castle", "0" * 64), ("rocket", EARLIER)])
def test_a_region_taken_from_what_is_gone_is_named_and_let_go_by_the_button(
    application: App, scene: bpy.types.Scene, name: str, picture: str
) -> None:
    region = scene.objects[name]
    write(region, TAKEN_FROM, picture)
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    notice = application.session.notice
    assert notice is not None and f"“{name}”" in notice.message and "Keep Look" not in notice.fix
    (button,) = fixes.of(notice)
    press = getattr(bpy.ops.maquette, button.operator.removeprefix("maquette."))
    assert press(**{button.subject_property: notice.subject}) == {"FINISHED"}
    assert region.get(TAKEN_FROM) is None and application.session.notice is None


def test_a_file_that_is_no_picture_is_said_to_be_none(application: App, scene: bpy.types.Scene, tmp_path: Path) -> None:
    file = tmp_path / "letter.png"
    file.write_text("Dear painter")
    assert bpy.ops.maquette.follow_picture(filepath=str(file)) == {"CANCELLED"}
    notice = application.session.notice
    assert notice is not None and notice.message.startswith("The picture cannot be read: "), notice
