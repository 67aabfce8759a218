"""Draws Lettering.png from DejaVuSans-Latin.ttf, with Pillow; Lettering.cs says what it holds.

Run it in its folder where the font or the list of characters changes.
"""

from PIL import Image, ImageDraw, ImageFont

SIZE, LINE, COLUMNS, MARGIN = 12, 14, 8, 2
FINE = 32
CHARACTERS = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100), 0x394, *range(0x3B1, 0x3CA)])) + "–—‘’‚‛“”…←↑→↓−√≈≠≤≥✓✗"

# Large, so that neither hinting nor the font's own rounding shows; then the mean over each cell, which is its coverage.
font = ImageFont.truetype("DejaVuSans-Latin.ttf", SIZE * FINE)
ascent = 1901 / 2048 * SIZE * FINE

cells = []
for character in CHARACTERS:
    width = round(font.getlength(character) / FINE * COLUMNS)
    large = Image.new("L", ((width + 2 * MARGIN * COLUMNS) * FINE // COLUMNS, LINE * FINE))
    ImageDraw.Draw(large).text((MARGIN * FINE, ascent), character, 255, font, anchor="ls")
    cells.append(large.resize((width + 2 * MARGIN * COLUMNS, LINE), Image.Resampling.BOX))

atlas = Image.new("L", (sum(cell.width for cell in cells), LINE + 1))
x = 0
for cell in cells:
    atlas.paste(cell, (x, 0))
    atlas.putpixel((x, LINE), 255)
    x += cell.width
atlas.save("Lettering.png", optimize=True)
