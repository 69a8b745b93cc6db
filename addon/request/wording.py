# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person would write: a further thing in a prompt, with its article and in its place; a noun of one and of
several. English, and for other scripts what joins things there. No bpy."""

import re

SIBILANT = r"(?:s|x|z|ch|sh)$"  # after which a plural is spelt es
IRREGULAR = {  # the end of a noun, and that of its plural
    "man": "men", "child": "children", "person": "people", "foot": "feet", "tooth": "teeth", "goose": "geese",
    "mouse": "mice", "louse": "lice", "ox": "oxen", "sheep": "sheep", "fish": "fish", "deer": "deer", "leaf": "leaves",
    "elf": "elves", "wolf": "wolves", "knife": "knives", "loaf": "loaves", "half": "halves", "calf": "calves",
    "scarf": "scarves", "thief": "thieves", "life": "lives", "wife": "wives", "hoof": "hooves", "dwarf": "dwarves",
    "cactus": "cacti", "fungus": "fungi", "potato": "potatoes", "tomato": "tomatoes", "hero": "heroes",
    "echo": "echoes", "volcano": "volcanoes", "mango": "mangoes", "quiz": "quizzes", "die": "dice", "oasis": "oases",
    "vertex": "vertices",
}  # fmt: skip
NUMBERS = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
]  # fmt: skip
DIGITS = {word: str(number) for number, word in enumerate(NUMBERS, 1)} | {
    "a dozen": "12", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80",
    "ninety": "90", "a hundred": "100", "one hundred": "100",
}  # fmt: skip
NUMBER = re.compile(rf"(?:\d+|{'|'.join(sorted(DIGITS, key=len, reverse=True))})(?= |$)", re.IGNORECASE)
OF_ONE = re.compile(
    r"(?:an?|the|one|1) (?!dozen|hundred)(?=\S)", re.IGNORECASE
)  # what a noun of one thing may have before it, or not
BEHIND = re.compile(r"[ -](?:of|in|on|with|without|at|by|from|for)[ -]", re.IGNORECASE)  # a noun, what is told of it
UNCOUNTED = {  # nouns that have no article where they are first named
    "bread", "cheese", "dust", "fog", "foliage", "food", "fur", "furniture", "grass", "hair", "hay", "ice", "ivy",
    "lava", "lightning", "mist", "moonlight", "moss", "mud", "rain", "sand", "smoke", "snow", "steam",
    "sunlight", "water",
}  # fmt: skip
DETERMINED = re.compile(  # words that stand where an article would
    r"(?:an?|the|my|your|his|her|its|our|their|this|that|these|those|some|any|many|several|few|no|each|every|both|all"
    rf"|\d+|{'|'.join(DIGITS)})\s",
    re.IGNORECASE,
)
PLURALS = tuple(several for one, several in IRREGULAR.items() if one != several and not several.endswith("s"))
SINGULAR_IN_S = re.compile(
    r"(?:ss|us|is|gas|lens|canvas|atlas|iris|bus|pancreas|christmas|series|species)$", re.IGNORECASE
)
AN = re.compile(r"[aeiou]|h(?:our|onest|eir|onou?r)|8|1[18](?:th)?\b|[fhlmnrsx]-", re.IGNORECASE)  # by what is heard
A = re.compile(r"one\b|once\b|uni(?![nm])|us[aeu]|ut[ei]|eu|ewe|ufo", re.IGNORECASE)
ADVERBIALS = re.compile(  # where a list of things ends: at a place or time, or at a comma with no further thing behind
    r",(?!\s*(?:and\s+)?(?:an?|the|two|three|four|five|\d+)\s)"
    r"|\b(?:in|on|at|by|under|over|above|near|beside|behind|before|with|against|inside|among)\s",
    re.IGNORECASE,
)
JOINED = (  # by the script of what is joined, and how; kana before Han, which Japanese has too
    (re.compile("[\u3040-\u30ff]"), "と"),
    (re.compile("[\u3400-\u9fff\uf900-\ufaff]"), "和"),
    (re.compile("[\u0e00-\u0e7f]"), "และ"),
    (re.compile("[\u0620-\u064a]"), " و"),
    (re.compile("[^\u0000-\u024f\u1e00-\u1eff\u2000-\u2bff\U0001f000-\U0001ffff]"), ", "),
)


def forms(phrase: str) -> tuple[str, ...]:
    """A phrase as it may be said of another number, or with another article: its noun's plurals and singulars, its
    number in letters or digits, or both."""
    bare = OF_ONE.sub("", phrase, count=1) if OF_ONE.match(phrase) else phrase
    behind = BEHIND.search(bare)
    head, rest = (bare[: behind.start()], bare[behind.start() :]) if behind else (bare, "")
    starts = dict.fromkeys((head, _other_number(head)))
    spelt = [f"{start}{rest}" for start in starts]
    for start in starts if bare == phrase else ():
        first, _, noun = start.rpartition(" ")
        spelt += [f"{first} {other}{rest}".strip() for other in _numbers(noun)] if noun else []
    return tuple(dict.fromkeys(form for form in spelt if form and form != phrase))


def _other_number(words: str) -> str:
    """Words with their number in digits where it is in letters, and the other way round."""
    number = NUMBER.match(words)
    if number is None:
        return words
    letters = next((word for word, digits in DIGITS.items() if digits == number[0]), number[0])
    return DIGITS.get(number[0].lower(), letters) + words[number.end() :]


def _numbers(noun: str) -> tuple[str, ...]:
    """A noun's plurals and singulars, as English makes them; those that are no words do no harm."""
    if not noun.isalpha() or noun.isdigit():
        return ()
    plural = f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}es" if re.search(SIBILANT, noun) else ""
    singulars = [noun[:-1]] if re.search(r"[^s]s$", noun) else []
    singulars += [noun[:-2]] if re.search(f"(?:{SIBILANT[:-1]})es$", noun) else []
    singulars += [f"{noun[:-3]}y"] if noun.endswith("ies") else []
    return (*_irregular(noun), plural or f"{noun}s", *singulars)


def _irregular(noun: str) -> list[str]:
    """The same of nouns that end as one of the IRREGULAR does: a snowman's too."""
    lower = noun.lower()
    pairs = [pair for one, several in IRREGULAR.items() for pair in ((one, several), (several, one))]
    return [noun[: len(noun) - len(end)] + other for end, other in pairs if lower.endswith(end)]


def with_article(phrase: str) -> str:
    """A phrase with the article that it needs, if it needs one."""
    noun = BEHIND.split(phrase, maxsplit=1)[0].rsplit(" ", 1)[-1].casefold()
    plural = noun.endswith(PLURALS) or (noun.endswith("s") and not SINGULAR_IN_S.search(noun))
    if DETERMINED.match(phrase) or plural or noun in UNCOUNTED or not re.match(r"\w", phrase):
        return phrase
    return f"an {phrase}" if AN.match(phrase) and not A.match(phrase) else f"a {phrase}"


def is_adverbial(words: str) -> bool:
    """Whether words say where or when something is, as “in the snow” does."""
    return ADVERBIALS.match(words) is not None


def inserted(prompt: str, phrase: str) -> str:
    """The prompt, saying ``phrase`` too, after its other things and before it says where they are. A place or time
    comes last. Where phrase or prompt are of another script, it comes last, joined as is usual there."""
    if is_adverbial(phrase):
        return f"{prompt.rstrip(' ,.;')} {phrase}".strip()
    joint = next((joint for script, joint in JOINED if script.search(phrase)), None)
    if joint is not None:
        bare = prompt.rstrip(" ,.;、。，")
        return f"{bare}{joint if _of_script(bare, joint) else ', '}{phrase}" if bare else phrase
    noun = with_article(phrase)
    if re.search(r"[.!?]\s+\S.*[.!?]\s*$", prompt):  # sentences, to which one more is added
        return f"{prompt.rstrip()} {noun[:1].upper()}{noun[1:]}."
    prompt = re.sub(r"(?:[\s,;]|\band\b|(?<=\w)[.!])+$", "", prompt)  # of a list that goes on, or a sentence
    adverbial = ADVERBIALS.search(prompt)
    subjects, rest = (prompt[: adverbial.start()].rstrip(), prompt[adverbial.start() :]) if adverbial else (prompt, "")
    if not subjects:
        return f"{noun}{', ' if prompt else ''}{prompt}"
    if any(script.search(prompt) for script, _ in JOINED):
        return f"{prompt.rstrip(' ,.;、。，')}, {phrase}"
    several = re.sub(r"\s+and\s+", ", ", subjects, flags=re.IGNORECASE)  # "a, b and c", as people count things up
    return f"{several} and {noun}{'' if rest[:1] in ('', ',') else ' '}{rest}"


def _of_script(prompt: str, joint: str) -> bool:
    """Whether a prompt is of the script that joins so."""
    return any(script.search(prompt) for script, own in JOINED if own == joint)
