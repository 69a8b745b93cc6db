# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list of regions says of each: why one is red, and its numbers in words. No bpy.

The notices have the codes of what Generate would raise, and so the same buttons.
"""

from collections.abc import Sequence

from .notice import Notice

ALIKE = 1.1  # times the area


def unknown_phrase(model: str, phrase: str) -> Notice:
    """The model was never taught what the region is."""
    return Notice(code="strange-words", message=f"{model} does not know “{phrase}”", fix="See It Knows.")


def unsaid_phrase(phrase: str) -> Notice:
    """The prompt does not name the region."""
    return Notice(code="phrase-missing", message=f"The prompt does not say “{phrase}”", subject=phrase)


def hidden(where: str, phrase: str) -> Notice:
    """Nothing of the region is shown; ``where``: in the view, from renders."""
    return Notice(code="region-hidden", message=f"Hidden {where}", subject=phrase)


def bare(phrase: str) -> Notice:
    """The region has no surface: an empty, hair, a volume, a mesh without faces."""
    return Notice(code="region-bare", message="The view has no surface of it", subject=phrase)


def bare_words(name: str, kind: str, exact: bool) -> tuple[str, str]:
    """What is wrong with a region without a surface, and what to do: by Blender's type of its object, and whether a
    render was asked already."""
    shown = "A render has" if exact else "The view has"
    message, leave = f"{shown} no surface of {name}.", "or leave it out of the picture."
    match kind:
        case "GREASEPENCIL" | "GPENCIL":
            return message, f"Grease Pencil has none: convert it to a mesh, {leave}"
        case "VOLUME":
            return message, f"Volumes have none: mark a mesh of its outline instead, {leave}"
        case "EMPTY" | "LIGHT" | "SPEAKER" | "LIGHT_PROBE" | "ARMATURE" | "LATTICE" | "CAMERA":
            return message, f"This kind of object has none: mark what has one, {leave}"
        case "CURVES" | "POINTCLOUD" if not exact:
            return message, f"Turn Exact on, for renders have one, {leave}"
    return message, f"Give it faces, {leave}" if exact else f"Give it faces, turn Exact on if it is hair, {leave}"


def outside(phrase: str) -> Notice:
    """The camera does not see where the region is."""
    return Notice(code="region-outside", message="Outside the frame", subject=phrase)


def behind(hider: str, phrase: str) -> Notice:
    """All of the region is covered, the most of it by ``hider``."""
    return Notice(code="region-behind", message=f"Hidden behind {hider}", subject=phrase)


def too_small(size: float, phrase: str) -> Notice:
    """The frame shows less of the region than a model can draw; ``size`` is a fraction of the frame."""
    share = f"{size:.1%}" if size >= 0.0005 else "a speck"
    return Notice(code="region-too-small", message=f"Only {share} of the frame", subject=phrase)


def visible_words(size: float, visible: float, hider: str) -> str:
    """What the frame shows of a region: both as fractions, of the frame and of what is in it."""
    words = f"{visible:.0%} of it is visible: {size:.1%} of the frame."
    return f"{words} Most of the rest is behind {hider}." if hider and visible < 1.0 else words


def achieved_short(offset: float | None, overlap: float | None, size: float | None = None) -> str:
    """What the picture shows of a region, in a few signs: per cent of the frame that it is off, and the overlap; or,
    where its outline is not asked for, how many times its ``size`` it is."""
    if offset is None or overlap is None:
        return "absent"
    sign, value = ("∩", overlap) if size is None else ("×", size)
    return f"Δ{100 * offset:.0f} {sign}{value:.2f}".replace(f"{sign}0", sign)


def legend() -> str:
    """What the signs of ``achieved_short`` mean, for whoever sees them first."""
    return "Visible share; Δ off its block, in % of the frame; ∩ overlap; × size, where Loose"


def achieved_words(
    phrase: str, by: str, offset: float | None, overlap: float | None, outdated: bool, size: float | None = None
) -> str:
    """The same as sentences; ``by`` says who measured, ``outdated`` that something has changed since."""
    if offset is None or overlap is None:
        words = f"The picture does not show “{phrase}”"
    else:
        compared = f"overlap {overlap:.2f}" if size is None else _size_words(size)
        words = f"The picture shows “{phrase}” {offset:.1%} of the frame away from its block, {compared}"
    source = ", says the model itself, which is coarser than a Judge" if by == "attention" else ""
    return (
        f"{words}{source}.{' So it was in the last picture; what is asked for has changed since.' if outdated else ''}"
    )


def _size_words(size: float) -> str:
    """How large it is shown, beside its block; nobody sees a difference of a tenth."""
    if 1 / ALIKE <= size <= ALIKE:
        return "as large as that"
    return f"{size:.2g} times as large as that"


def in_sets(names: Sequence[str]) -> str:
    """That what is marked in a background scene is no region of the one that shows it."""
    return f"Marked in the background scene, where they only hide: {', '.join(names)}"


def elsewhere() -> str:
    """Of a region that another file's object is."""
    return "Another file's, where it is marked: change it there, or make it local (Object › Relations › Make Local)."


def approximate(phrase: str, differences: Sequence[str]) -> str:
    """That what the view has of a region is not what renders show, for these kinds of reason."""
    return f"{phrase} is approximate: {', '.join(differences)}"
