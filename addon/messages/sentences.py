# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said without being raised: a function for each notice, in the order of ``fixes.FIXES``. No bpy.

Errors that are raised are in ``errors.py``. Every parameter is a word or a sentence, so that the reference can be held
to what is said here.
"""

from .notice import Notice

# the scene


def nothing_selected() -> Notice:
    """No object is selected that could become a region."""
    fix = "Select the objects of a region first."
    return Notice(code="nothing-selected", message="Nothing is selected.", fix=fix)


def whole_scene() -> Notice:
    """The active collection is the scene's own, which has everything in it."""
    fix = "Choose a collection in the Outliner."
    return Notice(code="whole-scene", message="The whole scene cannot be a region.", fix=fix)


def region_held(name: str, hidden: str, phrase: str) -> Notice:
    """What hides a region's objects could not be cleared; ``hidden`` says where: in the view, from renders."""
    message = f"{name} stays hidden {hidden}: drivers, keyframes or another file hold it."
    return Notice(code="region-held", message=message, fix="Mute them, or leave it out.", subject=phrase)


def style_bare() -> Notice:
    """A style is to be saved that has no name, or no words."""
    return Notice(code="style-bare", message="A style needs a name and words.", fix="Save it again with both.")


def style_unkept(reason: str) -> Notice:
    """A style cannot be written to its folder."""
    return Notice(code="style-unkept", message=f"The style could not be kept: {reason}.")


def folders_unkept(path: str, reason: str) -> Notice:
    """The list of folders of models cannot be written."""
    return Notice(code="folders-unkept", message=f"The folders of models could not be kept in {path}: {reason}.")


def style_shipped(name: str) -> Notice:
    """A style is to be deleted that came with the add-on."""
    fix = "Save a style of that name instead."
    return Notice(code="style-shipped", message=f"“{name}” came with Maquette.", fix=fix)


def style_by_hand(name: str, file: str) -> Notice:
    """A style is to be deleted that the artist has written into a file."""
    fix = "Take it out of the file, and press Reload Styles."
    return Notice(code="style-by-hand", message=f"“{name}” is in {file}, which may hold others.", fix=fix)


def differs(regions: str) -> Notice:
    """A warning: an exact capture shows these regions otherwise than the view does."""
    message = f"A render shows some things otherwise than the view: {regions}."
    fix = "The picture follows the render; turn Exact off to follow the view."
    return Notice(code="unlike", message=message, fix=fix, warning=True)


def only_rendered(message: str) -> Notice:
    """A warning: the view cannot be captured, ``message`` says why, and a render can."""
    return Notice(code="unlike", message=f"Only a render shows it all: {message}", warning=True)


# the result in the scene


def unseen() -> Notice:
    """A warning: a picture was projected, and the view is solid or wireframe."""
    message = "This view shows no materials, and so no projection."
    return Notice(code="unseen", message=message, fix="Material Preview does.", warning=True)


def partly_locked(names: str) -> Notice:
    """Some objects took no projection."""
    fix = "Make them local (Object > Relations > Make Local), and project again."
    return Notice(code="locked-object", message=f"{names} belong to another file, and stay as they are.", fix=fix)


def strange_phrase(model: str, words: str) -> Notice:
    """A warning: words of regions' phrases are none that the model was trained on; it reads them all the same."""
    fix = "It can only guess what a region of that name looks like; see It Knows."
    return Notice(code="strange-words", message=f"{model} does not know {words}.", fix=fix, warning=True)


def strange_words(model: str, words: str, left: str) -> Notice:
    """A warning: the model knows only the words that it was trained on; ``left`` is “it” or “them”."""
    fix = f"The picture is painted without {left}; see It Knows."
    return Notice(code="strange-words", message=f"{model} has not learned {words}.", fix=fix, warning=True)


def cameras_missing(names: str) -> Notice:
    """Cameras of a sequence that the scene has no more; their pictures have nothing to lie behind."""
    message = f"The scene has no camera {names} any more."
    return Notice(code="cameras-gone", message=message, fix="Folder shows those pictures too.")


def no_editor() -> Notice:
    """No area of the window can be split for an Image Editor."""
    fix = "Leave the maximised view (Ctrl Space) or make it larger, and try again."
    return Notice(code="no-editor", message="An Image Editor has no room here.", fix=fix)


def scene_gone(folder: str) -> Notice:
    """A picture has arrived for a scene of a file that was closed; it is kept in ``folder``."""
    message = "A picture arrived for a scene that is no longer open."
    return Notice(code="scene-gone", message=message, fix="It is in the history, On Disk.", subject=folder)


# the history


def already_painted(entry: str) -> Notice:
    """A picture is asked for with a fixed seed, and is there; ``entry`` is its name, in the file or on disk."""
    message, fix = "You have this picture already.", "Show it, or paint another with the next seed."
    return Notice(code="already-painted", message=message, fix=fix, subject=entry)


def picture_absent(entry: str) -> Notice:
    """The history has the request, and not the picture."""
    message, fix = "The full picture is not on this machine.", "Reuse Everything sets what paints it again."
    return Notice(code="picture-absent", message=message, fix=fix, subject=entry)


def opened_in_part(misfits: str) -> Notice:
    """A warning: a file's request was opened, and ``misfits`` of it have nothing in this scene to go to."""
    fix = "The rest is set; Generate paints the scene as it is."
    return Notice(code="opened-in-part", message=f"Not all of it fits this scene: {misfits}.", fix=fix, warning=True)


def camera_elsewhere(entry: str) -> Notice:
    """An entry's settings are taken up again, and its camera is not."""
    message, fix = "That picture was seen from another place.", "Camera as It Was puts the camera back there."
    return Notice(code="camera-elsewhere", message=message, fix=fix, subject=entry)


def history_unwritten(folder: str, reason: str) -> Notice:
    """A picture is in the scene, and could not be written to the history on disk."""
    message, fix = f"The history in {folder} could not be written: {reason}.", "Make room there, or allow writing."
    return Notice(code="history-unwritten", message=message, fix=fix)


# the way to the server


def address_set(address: str) -> Notice:
    """A server is to be started here, and another is asked."""
    message = f"The preferences have the add-on ask {address}; a server started here would not be asked."
    return Notice(code="address-set", message=message, fix="Empty Address there first.")


def server_runs() -> Notice:
    """A second server is asked for, which nobody could end."""
    fix = "Wait until it answers, or stop it first."
    return Notice(code="server-runs", message="The server started here still runs.", fix=fix)


def server_died(end: str, last_words: str, log: str) -> Notice:
    """Our server ended by itself; ``end`` says how, ``last_words`` are the last lines of its log, if there are any."""
    message = f"The server {end}{': ' + last_words if last_words else '.'}"
    return Notice(code="server-died", message=message, fix=f"Its log is {log}")


def server_stopped() -> Notice:
    """Our server ended as it was asked to: no trouble, and so without a code."""
    return Notice(message="The server has stopped.")


def server_unknown() -> Notice:
    """A server is to be started, and nothing says how: none was installed from here, and none has noted its command."""
    fix = "Install the Server…; or run maquette in a shell, any verb of it, and it is known here too."
    return Notice(code="server-unknown", message="Maquette knows of no server on this machine.", fix=fix)


def command_fails(command: str, reason: str) -> Notice:
    """The server command of the preferences names no program."""
    fix = "Set it in Preferences › Add-ons › Maquette, as the path of maquette, and serve; or empty it and install one."
    return Notice(code="command-fails", message=f"“{command}” cannot be run: {reason}.", fix=fix)


def command_misunderstood() -> Notice:
    """The server command of the preferences names a program that does not know its arguments."""
    fix = "It should end with serve; see the preferences."
    return Notice(code="command-fails", message="The server command was not understood.", fix=fix)


def no_worker(trouble: str) -> Notice:
    """The server answers, and its worker cannot work; the server says why."""
    fix = "The server tries again by itself; its log has the details."
    return Notice(code="no-worker", message=f"{trouble}.", fix=fix)


def unreadable(picture: str, reason: str) -> Notice:
    """A picture has arrived that Blender cannot open."""
    message = f"The picture {picture} cannot be read: {reason}."
    return Notice(code="unreadable", message=message, fix="The same seed paints it again.")


def stumbled(error: str, trace: str) -> Notice:
    """A bug of ours was caught; ``error`` is its kind and words."""
    message = f"Maquette stumbled ({error}), and goes on."
    fix = "Please report it: the button copies the details."
    return Notice(code="stumbled", message=message, fix=fix, trace=trace)


def adapters_missing(files: str) -> Notice:
    """A warning: settings were taken up again, and ``files`` of them are not on the server as they were."""
    message, fix = f"Not all that it was painted with is here: {files}.", "Put it there, or paint without it."
    return Notice(code="no-adapter", message=message, fix=fix, warning=True)


def inspection_failed(reason: str) -> Notice:
    """A picture could not be painted again to be looked into; ``reason`` is the program's last line."""
    return Notice(code="inspection-failed", message=f"The picture could not be inspected: {reason}.")


# Live


def live_offline() -> Notice:
    """Live is asked for, and no server is connected; or it was on, and the server is gone."""
    message, fix = "Live is off: no server is connected.", "Start the server, then press Live."
    return Notice(code="live-offline", message=message, fix=fix)


def live_failed(reason: str, fix: str) -> Notice:
    """Live is off, for one of its pictures could not be painted; the server, or the way to it, says why."""
    return Notice(code="live-failed", message=f"Live has stopped. {reason}", fix=fix)


def live_unseen() -> Notice:
    """A warning: Live is on, and no 3D View looks through the camera."""
    message, fix = "Live lies over what the camera sees.", "Look through the camera to see it."
    return Notice(code="live-unseen", message=message, fix=fix, warning=True)


# what the server's refusals lead to


def adapter_gone(name: str) -> Notice:
    """A LoRA, VAE or ControlNet is chosen that the server does not have any more."""
    fix = "The menu shows those that there are."
    return Notice(code="adapter-gone", message=f"“{name}” is not on the server any more.", fix=fix)


def adapters_fit() -> Notice:
    """What does not fit is to be left out, and there is no such file."""
    fix = "Generate paints with what is set."
    return Notice(code="adapter-gone", message="There is no LoRA, VAE or ControlNet here that does not fit.", fix=fix)


def loras_full(most: str) -> Notice:
    """One LoRA more is to be added than a request can hold."""
    return Notice(code="loras-full", message=f"A picture takes {most} LoRAs at most.", fix="Take one off first.")


def none_waiting() -> Notice:
    """The pictures that wait in the server's queue are to be cancelled, and none of them is ours."""
    fix = "Others' are: try again when some are painted."
    return Notice(code="none-waiting", message="None of this Blender's pictures is waiting.", fix=fix)


def smallest() -> Notice:
    """A smaller picture is asked for, and there is no smaller size."""
    fix = "Close what else uses the device's memory, or choose another model."
    return Notice(code="smallest", message="The picture is as small as it gets.", fix=fix)
