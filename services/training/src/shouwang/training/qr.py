"""QR codes as SVG, by segno."""

import segno


def svg(text: str) -> str:
    """A QR of a text; error level M, drawn with the quiet zone of four modules that readers need (ISO/IEC 18004)."""
    drawn: str = segno.make(text, error="m", micro=False).svg_inline(scale=4, border=4)
    return drawn
