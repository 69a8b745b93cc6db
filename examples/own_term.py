# SPDX-License-Identifier: MIT
"""A term of one's own: two things at one height. It reads a Tape, and adds to the terms that there are.

python examples/own_term.py
"""

from sg_core import Energy, Measure, Moment, Phrase, Tape, Term, generate, load, presence
from sg_core.terms.properties import centroid


def level(one: str, other: str, tolerance: float = 0.03) -> Energy:
    """Both phrases have their middles at one height: the squared difference. The error is it, in 0..1 of the height."""
    phrases = Phrase(one), Phrase(other)

    def measure(tape: Tape) -> Measure:
        heights = [centroid(tape.map(phrase))[:, 1] for phrase in phrases]  # each (batch,)
        difference = heights[0] - heights[1]
        return Measure(difference**2, difference.abs())

    # A term speaks of one phrase; presence brings the other, and keeps both from vanishing.
    term = Term(f"{one} level with {other}", phrases[0], tolerance, measure)
    return Energy((term,)) + 0.25 * presence(one) + 0.25 * presence(other)


def apart(energy: Energy, strength: float) -> float:
    """The error when the energy was last read, in 0..1 of the height; strength 0 reads it and pushes nothing."""
    errors: list[float] = []

    def watch(moment: Moment) -> None:
        errors.extend(error for name, error in moment.energies.items() if "level" in name)

    prompt = "a car and a tree in a desert"
    generate(load("toybox"), prompt, energy, seeds=[0], width=256, height=256, strength=strength, watch=watch)
    return errors[-1]


def main() -> None:
    """Paint one seed without and with the push of the term, and print how far apart the two end."""
    energy = level("car", "tree")
    for name, strength in (("read only", 0.0), ("guided", 1.0)):
        print(f"{name}: {apart(energy, strength):.3f} of the height apart")


if __name__ == "__main__":
    main()
