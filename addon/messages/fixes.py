# SPDX-License-Identifier: GPL-3.0-or-later
"""From code to fix: the buttons that put right what an error, a notice or a server's problem complains of. No bpy.

Where there is no button, ``why`` says so; a test walks every error of the add-on and the server through this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .notice import Notice


@dataclass(frozen=True, kw_only=True)
class Button:
    """An operator as an offer. ``subject_property`` names the property of it that is given the notice's subject."""

    operator: str
    text: str = ""  # the operator's own label when empty
    subject_property: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fix:
    """The buttons, likeliest first; or why there is none."""

    buttons: tuple[Button, ...] = ()
    why: str = ""


def of(notice: Notice, startable: bool = True, known: bool = True) -> tuple[Button, ...]:
    """The buttons that belong under a notice; none for a code that only a newer server knows.

    Start Server is not among them unless ``startable``: where one was started, or none could help. Where no command is
    ``known`` that would start one, Install the Server… is in its place.
    """
    buttons = FIXES[notice.code].buttons if notice.code in FIXES else ()
    if not startable:
        return tuple(button for button in buttons if button != START_SERVER)
    return buttons if known else tuple(INSTALL if button == START_SERVER else button for button in buttons)


def _buttons(*buttons: Button) -> Fix:
    return Fix(buttons=buttons)


def _section(section: str, text: str) -> Button:
    return Button(operator="screen.userpref_show", text=text, arguments=(("section", section),))


SELECT = Button(operator="maquette.find_region", text="Select It", subject_property="phrase")
LEAVE_OUT = Button(operator="maquette.leave_out", text="Leave It Out", subject_property="phrase")
START_SERVER = Button(operator="maquette.start_server")
TRY_AGAIN = Button(operator="maquette.connect", text="Try Again")
GENERATE = Button(operator="maquette.generate", text="Generate Again", subject_property="answers")
GENERATE_HERE = Button(operator="maquette.generate", text="Generate from Here")
TURN_EXACT_OFF = Button(operator="maquette.turn_exact_off")
PAINT_SMALLER = Button(operator="maquette.paint_smaller", subject_property="answers")
DROP = Button(operator="maquette.drop_adapters", subject_property="answers")
RENEW = Button(operator="maquette.renew_adapters", subject_property="answers")
PREFERENCES = Button(operator="maquette.open_preferences")
REUSE_ALL = Button(
    operator="maquette.reuse", text="Reuse Everything", subject_property="name", arguments=(("what", "EVERYTHING"),)
)
OPEN_LOG = Button(operator="maquette.open_log")
INSTALL = Button(operator="maquette.install_server")
GO_ON = Button(operator="maquette.continue_installation")
OPEN_FOLDER = Button(operator="wm.path_open", text="Open Its Folder", subject_property="filepath")

_OUR_BUG = Fix(why="a bug of ours that no setting changes; the sentence and the server's log name it")

FIXES: Mapping[str, Fix] = MappingProxyType(
    {
        # the scene
        "no-camera": _buttons(Button(operator="maquette.add_camera")),
        "panoramic-camera": _buttons(Button(operator="maquette.flatten_camera")),
        "frame-too-long": Fix(why="which format the picture should have, only the artist knows"),
        "nothing-marked": _buttons(Button(operator="maquette.add_selected")),
        "nothing-selected": Fix(why="which objects are meant, only the artist knows"),
        "whole-scene": Fix(why="which collection is meant, only the artist knows"),
        "region-hidden": _buttons(
            Button(operator="maquette.show_region", text="Show It", subject_property="phrase"), LEAVE_OUT
        ),
        "region-held": _buttons(LEAVE_OUT),
        "region-gone": Fix(why="what is gone needs no fix"),
        "view-gone": Fix(why="what is gone needs no fix"),
        "region-bare": _buttons(SELECT, LEAVE_OUT),
        "region-outside": _buttons(Button(operator="maquette.fit_camera"), LEAVE_OUT),
        "region-clipped": _buttons(Button(operator="maquette.extend_clip"), LEAVE_OUT),
        "region-behind": _buttons(SELECT, LEAVE_OUT),
        "region-too-small": _buttons(SELECT, LEAVE_OUT),
        "limit-exceeded": Fix(why="which regions or words matter least, only the artist knows"),
        "phrase-missing": _buttons(Button(operator="maquette.insert_phrase", subject_property="subject")),
        "style-missing": _buttons(Button(operator="maquette.choose_style", text="No Style")),
        "style-bare": Fix(why="what the style should be called and say, only the artist knows"),
        "style-unkept": Fix(why="the sentence says what hinders; the style is still in the dialog"),
        "folders-unkept": Fix(why="the sentence says what hinders"),
        "style-shipped": Fix(why="what came with Maquette stays; saving one of that name hides it"),
        "style-by-hand": Fix(why="a file that somebody wrote is theirs to change; the sentence names it"),
        "phrase-shared": _buttons(
            Button(operator="maquette.tell_apart", subject_property="phrase"),
            Button(operator="maquette.make_one", subject_property="phrase"),
        ),
        "exact-failed": _buttons(TURN_EXACT_OFF),
        "exposure-failed": _buttons(GENERATE, TURN_EXACT_OFF),
        "unlike": _buttons(TURN_EXACT_OFF),
        # the result in the scene
        "misfit": _buttons(GENERATE),
        "displaced": _buttons(Button(operator="maquette.restore_camera", subject_property="name"), GENERATE_HERE),
        "unbakeable": Fix(why="what to do with the object, only the artist knows; the sentence names it"),
        "unseen": _buttons(Button(operator="maquette.show_materials")),
        "locked-object": Fix(why="whether another file's object becomes local, only the artist decides"),
        "strange-words": Fix(why="what to say instead, only the artist knows; It Knows lists the things"),
        "sequence-unusable": Fix(why="painting it again takes what is painted from its folder; the sentence says why"),
        "cameras-gone": Fix(why="what was deleted is deleted; Folder, beside it, needs no camera"),
        "no-editor": _buttons(Button(operator="screen.back_to_previous", text="All Editors Again")),
        "too-many-views": Fix(why="which view to take down, only the artist knows; each has its cross in the list"),
        "scene-gone": _buttons(OPEN_FOLDER),
        # the history
        "already-painted": _buttons(
            Button(operator="maquette.show_entry", text="Show It", subject_property="name"),
            Button(operator="maquette.next_seed"),
        ),
        "entry-gone": Fix(why="what was deleted is deleted; the button vanishes with the next look"),
        "reference-gone": Fix(why="of which other picture the look is to be kept, only the artist knows"),
        "taken-gone": _buttons(Button(operator="maquette.take_region", text="Take It No More", subject_property="uid")),
        "picture-absent": _buttons(REUSE_ALL),
        "camera-elsewhere": _buttons(Button(operator="maquette.restore_camera", subject_property="name")),
        "camera-held": Fix(why="which constraint, driver or key may be muted, only the artist knows"),
        "no-request": _buttons(Button(operator="maquette.open_request", text="Open Another")),
        "opened-in-part": Fix(why="what is missing in the scene, only the artist can block out"),
        "history-unreadable": Fix(why="the sentence names the file and what hinders"),
        "history-unwritten": Fix(why="which files may go to make room, only the artist knows"),
        # the way to the server
        "server-absent": _buttons(START_SERVER, TRY_AGAIN, PREFERENCES),
        "model-unlisted": _buttons(START_SERVER, TRY_AGAIN, PREFERENCES),
        "access-not-allowed": _buttons(_section("SYSTEM", "System Preferences"), INSTALL),
        "wheel-unchosen": _buttons(INSTALL),
        "wheel-damaged": _buttons(GO_ON, INSTALL),
        "python-unsuitable": _buttons(INSTALL),
        "pip-missing": _buttons(GO_ON, INSTALL),
        "package-missing": _buttons(GO_ON, INSTALL),
        "network-absent": _buttons(GO_ON, INSTALL),
        "disk-full": _buttons(GO_ON, OPEN_FOLDER),
        "folder-unwritable": _buttons(GO_ON, OPEN_FOLDER),
        "installation-failed": _buttons(GO_ON, Button(operator="maquette.open_installation_log")),
        "address-set": _buttons(PREFERENCES, TRY_AGAIN),
        "server-runs": _buttons(TRY_AGAIN, Button(operator="maquette.stop_server")),
        "server-died": _buttons(START_SERVER, OPEN_LOG),
        "server-unknown": _buttons(INSTALL, PREFERENCES),
        "command-fails": _buttons(PREFERENCES, INSTALL),
        "bad-address": _buttons(PREFERENCES),
        "wrong-token": _buttons(TRY_AGAIN, PREFERENCES),
        "server-older": _buttons(TRY_AGAIN, INSTALL, PREFERENCES),
        "add-on-older": _buttons(_section("EXTENSIONS", "Get Extensions"), TRY_AGAIN),
        "garbled": _buttons(TRY_AGAIN, PREFERENCES),
        "online-access-off": _buttons(_section("SYSTEM", "System Preferences"), PREFERENCES),
        "unkept": _buttons(TRY_AGAIN),
        "unreadable": _buttons(GENERATE),
        "stumbled": Fix(why="a bug of ours; the add-on goes on, and Blender's console has the trace"),
        "no-worker": _buttons(OPEN_LOG),
        "inspection-failed": Fix(why="the sentence says what hinders"),
        # Live
        "live-offline": _buttons(START_SERVER, TRY_AGAIN, PREFERENCES),
        "live-failed": _buttons(Button(operator="maquette.live"), OPEN_LOG),
        "live-unseen": _buttons(Button(operator="maquette.look_through_camera")),
        # the server's refusals
        "unauthorised": _buttons(TRY_AGAIN, PREFERENCES),
        "browser": _OUR_BUG,
        "foreign-host": _buttons(PREFERENCES),
        "unknown-job": _buttons(GENERATE),
        "unknown-artifact": _buttons(GENERATE),
        "no-route": _buttons(PREFERENCES),
        "key-reused": _OUR_BUG,
        "not-waiting": _buttons(GENERATE),
        "too-large": Fix(why="which of so many regions matter least, only the artist knows"),
        "not-json": _OUR_BUG,
        "invalid": Fix(why="the sentence names the field; what it should say, only the artist knows"),
        "unknown-field": _buttons(TRY_AGAIN, PREFERENCES),
        "unknown-model": _buttons(GENERATE),
        "too-costly": _buttons(PAINT_SMALLER),
        "unknown-reference": _buttons(GENERATE),
        "queue-full": _buttons(
            Button(operator="maquette.cancel", text="Cancel Waiting", arguments=(("scope", "WAITING"),)), GENERATE
        ),
        "none-waiting": _buttons(GENERATE),
        "too-many-streams": _buttons(TRY_AGAIN),
        "queue-unavailable": _buttons(GENERATE, OPEN_LOG),
        "internal": _buttons(GENERATE, OPEN_LOG),
        # a job's failures
        "unpaintable": Fix(why="the sentence names the words or the size; which to give up, only the artist knows"),
        "prompt-too-long": Fix(why="what to leave out, only the artist knows"),
        "unreadable-job": _buttons(GENERATE),
        "interrupted": _buttons(GENERATE, OPEN_LOG),
        "worker-lost": _buttons(PAINT_SMALLER, GENERATE, OPEN_LOG),
        "painting-failed": _buttons(GENERATE, OPEN_LOG),
        "no-model": _buttons(GENERATE),
        "no-room": _buttons(GENERATE),
        "no-adapter": _buttons(DROP),
        "changed-adapter": _buttons(RENEW, DROP),
        "changed-model": _buttons(GENERATE),
        "unfit-adapter": _buttons(DROP),
        "adapter-gone": _buttons(GENERATE),
        "content-refused": Fix(why="what to ask for instead, only the artist knows"),
        "filter-failed": _buttons(GENERATE, OPEN_LOG),
        "not-signed": _buttons(GENERATE, OPEN_LOG),
        "loras-full": Fix(why="which of them matters least, only the artist knows"),
        "out-of-memory": _buttons(PAINT_SMALLER),
        "smallest": Fix(why="there is no smaller size, and which program may close, only the artist knows"),
    }
)
