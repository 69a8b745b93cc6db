# SPDX-License-Identifier: MIT
"""Where a picture comes from, by IPTC's word for it, in the XMP packet of its file.

Sources: IPTC Photo Metadata Standard 2025.1 (Digital Source Type, Iptc4xmpExt:DigitalSourceType) and its NewsCodes;
XMP Specification Part 3 (PNG: an iTXt chunk, not compressed, with the keyword below); PNG specification, third edition,
11.3.3.3.
"""

import re
from collections.abc import Iterable
from typing import Literal, get_args
from xml.sax.saxutils import quoteattr

from addon.protocol.png import BLOCKOUT_KEY, SIGNATURE, chunk, chunks, with_chunk

SourceType = Literal["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"]
NEWSCODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
XMP = b"XML:com.adobe.xmp"
OURS = BLOCKOUT_KEY.encode()  # in a file of a release that said no source
PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool={tool} Iptc4xmpExt:DigitalSourceType={source}/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_STATED = re.compile(rb"DigitalSourceType[^<]{1,64}?https?://cv\.iptc\.org/newscodes/digitalsourcetype/(\w+)")


def source_type(references: Iterable[bytes]) -> SourceType:
    """What a picture is that follows those PNG files, or none.

    A composite, unless all of them were made by a model alone: a photograph says nothing of the kind, and an edit of
    one says that it is a composite.
    """
    return "trainedAlgorithmicMedia" if all(map(_of_a_model, references)) else "compositeWithTrainedAlgorithmicMedia"


def with_digital_source(png: bytes, source: SourceType, tool: str) -> bytes:
    """The PNG file with an XMP packet in front of its pixels, which says what it is, and what made it."""
    packet = PACKET.format(tool=quoteattr(tool), source=quoteattr(NEWSCODES + source))
    text = XMP + b"\0" + b"\0\0" + b"\0" + b"\0" + packet.encode()  # not compressed; no language, no translation
    return with_chunk(png, chunk(b"iTXt", text), before=b"IDAT")


def digital_source(file: bytes) -> str:
    """The last part of the word in a file's XMP packet, of whatever format; "" where it says none that is IPTC's."""
    packets = (content for kind, content, _ in chunks(file) if kind == b"iTXt" and content.startswith(XMP))
    stated = _STATED.search(next(packets, b"") if file.startswith(SIGNATURE) else file)
    return stated[1].decode() if stated else ""


def is_of_a_model(word: str) -> bool:
    """Whether a picture of that source was made by a model, at least in part."""
    return word in get_args(SourceType)


def _of_a_model(png: bytes) -> bool:
    stated = digital_source(png)
    return stated == "trainedAlgorithmicMedia" or (not stated and _carries(png, OURS))


def _carries(png: bytes, keyword: bytes) -> bool:
    return any(kind == b"tEXt" and content.startswith(keyword + b"\0") for kind, content, _ in chunks(png))
