"""zero_tensor.py IN.safetensors OUT.safetensors NAME: a copy in which a tensor
is zero."""

import json
import sys

data = bytearray(open(sys.argv[1], "rb").read())
header = int.from_bytes(data[:8], "little")
begin, end = json.loads(data[8:8 + header])[sys.argv[3]]["data_offsets"]
data[8 + header + begin:8 + header + end] = bytes(end - begin)
open(sys.argv[2], "wb").write(data)
