"""Makes the NIfTI and DICOM files here, and expected.safetensors, what nibabel and pydicom read from them.

Run it in its folder: Debian's python3-nibabel 5.0.0, python3-pydicom 2.3.1 and python3-numpy 1.24.2 made what is committed.
The files MR_small*.dcm are pydicom's own test files, 64 x 64 pixels of an MRI, and are copied from it.
A name's tensor holds the voxels as_closest_canonical gives, or the pixels after rescaling; name.affine holds its affine.
"""

import gzip
import json
import shutil
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixel_data_handlers.util import apply_modality_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

random = np.random.default_rng(19)
expected = {}


def nifti(name, data, affine, endian="<", slope=None, inter=None, form="s"):
    header = nib.Nifti1Header(endianness=endian)
    header.set_data_dtype(data.dtype)
    image = nib.Nifti1Image(data, affine, header)
    if form == "s":
        image.set_sform(affine, 2)
        image.set_qform(affine, 0)
    elif form == "q":
        image.set_qform(affine, 1)
        image.set_sform(None, 0)
    if form == "none":
        image.header["qform_code"] = image.header["sform_code"] = 0
    image.header.set_data_shape(data.shape)
    content = image.header.binaryblock + b"\0" * 4 + data.astype(data.dtype.newbyteorder(endian)).tobytes(order="F")
    content = content[:108] + struct.pack(endian + "f", 352) + content[112:]
    if slope is not None:
        content = content[:112] + struct.pack(endian + "ff", slope, inter) + content[120:]
    if name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    Path(name).write_bytes(content)
    read = nib.load(name)
    if form != "none":
        read = nib.as_closest_canonical(read)
        expected[name + ".affine"] = read.affine.astype(np.float64)
    expected[name] = read.get_fdata().astype(np.float32)


def integers(dtype, *shape):
    limits = np.iinfo(dtype)
    return random.integers(max(limits.min, -(2**20)), min(limits.max, 2**20), shape, dtype=np.int64).astype(dtype)


ras = np.diag([2.0, 2.0, 3.0, 1.0])
ras[:3, 3] = [-90, -126, -72]
las = np.diag([-1.0, 1.0, 1.0, 1.0])
las[:3, 3] = [90, -126, -72]
# From head to foot, right to left, front to back.
turned = np.array([[0, -1.5, 0, 40], [0, 0, -1.0, 30], [-2.0, 0, 0, 20], [0, 0, 0, 1]])
tilted = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.3, -0.2, 0.25) @ np.diag([1.0, 2.0, 3.0]), [5, 6, 7])
mirrored = tilted @ np.diag([1.0, 1.0, -1.0, 1.0])

nifti("uint8-ras.nii", integers(np.uint8, 3, 4, 5), ras)
nifti("int16-las.nii.gz", integers(np.int16, 4, 3, 5), las, slope=0.5, inter=-1024)
nifti("int16-big-turned.nii", integers(np.int16, 3, 4, 5), turned, endian=">", slope=2, inter=3)
nifti("uint16-tilted.nii.gz", integers(np.uint16, 3, 5, 4), tilted, form="q")
nifti("int32-big-mirrored.nii", integers(np.int32, 2, 3, 4), mirrored, endian=">", form="q")
nifti("float32-4d.nii.gz", random.normal(size=(3, 4, 2, 3)).astype(np.float32), turned)
nifti("float64-big.nii.gz", random.normal(size=(3, 2, 4)), las, endian=">", slope=3, inter=0.25)
nifti("int8-untold.nii", integers(np.int8, 3, 4, 2), ras, form="none")
nifti("uint32-zero-slope.nii", integers(np.uint32, 2, 2, 3), tilted, slope=0, inter=7)


def dicom(name, pixels, syntax, stored, photometric, slope=None, intercept=None, sequence=False):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "2.25.19"
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.ImplementationClassUID = "2.25.19"
    if sequence:
        inner, outer = Dataset(), Dataset()
        inner.Rows, inner.CodeValue = 7, "inner"
        outer.PurposeOfReferenceCodeSequence = Sequence([inner])
        outer["PurposeOfReferenceCodeSequence"].is_undefined_length = inner.is_undefined_length_sequence_item = True
        outer.is_undefined_length_sequence_item = True
        data.SourceImageSequence = Sequence([outer])
        data["SourceImageSequence"].is_undefined_length = True
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, photometric
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated, data.BitsStored, data.HighBit = 8 * pixels.itemsize, stored, stored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    if slope is not None:
        data.RescaleIntercept, data.RescaleSlope = str(intercept), str(slope)
    data.is_implicit_VR, data.is_little_endian = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    order = "<" if data.is_little_endian else ">"
    content = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    data.PixelData = content + b"\0" * (len(content) % 2)
    data["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    data.save_as(name, write_like_original=False)
    read = pydicom.dcmread(name)
    expected[name] = apply_modality_lut(read.pixel_array, read).astype(np.float32)


dicom("low-is-white.dcm", random.integers(0, 256, (5, 7)).astype(np.uint8), ExplicitVRLittleEndian, 8, "MONOCHROME1", sequence=True)
dicom("twelve-bits.dcm", random.integers(0, 4096, (6, 5)).astype(np.uint16), ImplicitVRLittleEndian, 12, "MONOCHROME2", 0.5, -1024, sequence=True)
dicom("signed-big.dcm", random.integers(-900, 900, (4, 6)).astype(np.int16), ExplicitVRBigEndian, 16, "MONOCHROME2", 2, 10.5, sequence=True)

folder = Path(pydicom.__file__).parent / "data" / "test_files"
for name in "MR_small.dcm MR_small_implicit.dcm MR_small_bigendian.dcm MR_small_RLE.dcm".split():
    shutil.copy(folder / name, name)
pixels = [pydicom.dcmread(name).pixel_array for name in ("MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm")]
assert all((other == pixels[0]).all() for other in pixels)
expected["MR_small.dcm"] = pixels[0].astype(np.float32)

header, content = {}, b""
for name, values in expected.items():
    data = np.ascontiguousarray(values).tobytes()
    header[name] = {"dtype": {4: "F32", 8: "F64"}[values.itemsize], "shape": list(values.shape), "data_offsets": [len(content), len(content) + len(data)]}
    content += data
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open("expected.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + content)
