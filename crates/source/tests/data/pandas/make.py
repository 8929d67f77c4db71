"""Makes the files beside this one: one data frame, as pandas writes it to CSV, Parquet and Feather.

Made with: python 3.11, pip install pandas==3.1.1 pyarrow==26.0.1
Use:       python make.py FOLDER
"""
import os
import sys

import pandas as pd

here = sys.argv[1]
frame = pd.DataFrame({
    "src": ["a", "b", "a"],
    "dst": ["x", "x", "y"],
    "time": [10, 20, 30],
    "int64": pd.Series([1, -2, 9007199254740993], dtype="int64"),
    "float64": pd.Series([0.1, float("nan"), -1e300], dtype="float64"),
    "bool": [True, False, True],
    "text": ["plain", "a, \"quoted\" one", "two\nlines"],
    "naive": pd.to_datetime(["2024-02-29 12:34:56", "2000-01-01 00:00:00", "1969-12-31 23:59:59"]),
    "zoned": pd.to_datetime(["2024-02-29 12:34:56", "2000-01-01 00:00:00", "1969-12-31 23:59:59"]).tz_localize("Europe/Berlin"),
    "category": pd.Series(["red", "blue", "red"], dtype="category"),
    "Int64": pd.Series([1, None, 3], dtype="Int64"),
    "code": pd.Series(["007", "0420", "12"], dtype="object"),
})
frame["naive"] = frame["naive"].astype("datetime64[ns]")
frame["zoned"] = frame["zoned"].astype("datetime64[ns, Europe/Berlin]")
frame.to_csv(os.path.join(here, "frame.csv"), index=False)
frame.to_parquet(os.path.join(here, "frame.parquet"), index=False)
frame.to_feather(os.path.join(here, "frame.feather"))
