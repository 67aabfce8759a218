"""Makes the pictures here, and expected.safetensors, with Pillow: each by its name, [H, W, 3], uint8.

Run it in its folder: Debian's python3-pil 9.4.0 made what is committed.
"""

import json
import struct

from PIL import Image, ImageOps

photo = Image.open("../../../../data/photos/coffee.png").convert("RGB").crop((180, 100, 372, 244)).resize((64, 48), Image.Resampling.LANCZOS)
alpha = photo.copy()
alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
turned = Image.Exif()
turned[0x112] = 6

photo.save("rgb.png")
alpha.save("alpha.png")
photo.convert("L").save("gray.png")
alpha.convert("LA").save("gray-alpha.png")
photo.convert("1").save("bits.png")
photo.quantize(16).save("palette.png", transparency=3)
photo.save("turned.png", exif=turned)
photo.save("444.jpg", quality=90, subsampling="4:4:4")
photo.save("420.jpg", quality=90, subsampling="4:2:0")
photo.save("progressive.jpg", quality=90, subsampling="4:2:0", progressive=True)
photo.convert("L").save("gray.jpg", quality=90)
photo.convert("CMYK").save("cmyk.jpg", quality=90)
photo.save("turned.jpg", quality=90, exif=turned)
photo.save("lossless.webp", lossless=True)
alpha.save("lossless-alpha.webp", lossless=True, exact=True)
photo.save("lossy.webp", quality=90)
photo.save("turned.webp", lossless=True, exif=turned)
photo.save("animated.webp", lossless=True, save_all=True, append_images=[photo.rotate(180)])

names = """rgb.png alpha.png gray.png gray-alpha.png bits.png palette.png turned.png 444.jpg 420.jpg progressive.jpg
    gray.jpg cmyk.jpg turned.jpg lossless.webp lossless-alpha.webp lossy.webp turned.webp""".split()
header, content = {}, b""
for name in names:
    image = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
    header[name] = {"dtype": "U8", "shape": [image.height, image.width, 3], "data_offsets": [len(content), len(content) + 3 * image.width * image.height]}
    content += image.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open("expected.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + content)
