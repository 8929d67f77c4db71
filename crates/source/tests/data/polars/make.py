"""Makes the file beside this one, with a whole number of 128 bits.

Made with: python 3.11, pip install polars==2.1.0
Use:       python make.py FOLDER
"""
import os
import sys

import polars as pl

pl.DataFrame({
    "id": [1], "x": [1.5], "wide": pl.Series([170141183460469231731687303715884105727], dtype=pl.Int128),
}).write_ipc(os.path.join(sys.argv[1], "frame.arrow"))
