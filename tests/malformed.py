"""Cells that a table may hold: right, nearly right, or anything at all."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

numbers = st.one_of(
    st.integers(-3, 60),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.floats(-5, 5),
    st.sampled_from(
        [0, 0.0, -0.0, 0.5, -1, 1e308, -1e308, 1e-308, 5e-324, 2**53, 1e16, np.inf, -np.inf, np.nan]
    ),
)
texts = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [  # noqa: RUF005 - two lists on their own lines
            "",
            " ",
            "3",
            " 4 ",
            "0.60",
            "1e5",
            "1e999",
            "nan",
            "NaN",
            "inf",
            "None",
            "n/a",
            "−1",
            "1,5",
        ]
        + ["٣", "½", "1_000", "0x10", "True", "5 (7%)", "\x00", "\ud800", "=1+1", "<script>", "😀"]
    ),
)
others = st.one_of(
    st.sampled_from([None, True, False, pd.NA, pd.NaT, pd.Timestamp("2020-01-01"), 1 + 2j, b"3"]),
    st.lists(st.integers(), max_size=2),
    st.just({"a": 1}),
)
cells = st.one_of(numbers, texts, others)
names = st.one_of(st.sampled_from(["A", "B", "C", "D", "", " ", "nan"]), st.text(max_size=8), cells)
