"""Mortality in ten trials of mesenchymal stem cells for COVID-19, in the Python API."""

from pathlib import Path

import pandas as pd

import bayesmeta as bm

TABLE = Path(__file__).parent / "msc-covid19" / "mortality.csv"

frame = pd.read_csv(TABLE, dtype=str)
unused = frame[frame["variant"] != "main"]
exclude = {(row.study, row.variant): "another reading" for row in unused.itertuples()}
trials = bm.BinaryStudies.from_frame(frame, exclude=exclude)
data = bm.effect_sizes(trials, measure="RR")
mu, tau = bm.Normal(0, 2), bm.HalfNormal(0.5)
fits = {
    "counts, exact": bm.fit(bm.BinomialNormal(measure="RR", mu=mu, tau=tau), trials),
    "two-stage, exact": bm.fit(bm.NormalNormal(mu=mu, tau=tau), data),
    "REML, HKSJ": bm.random_effects(data),
    "Mantel–Haenszel": bm.common_effect(trials, weights="MH", measure="RR"),
    "2024 review": bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96"),
}
table = bm.compare(fits, scale="natural", better="lower")
risk = trials.events_control.sum() / trials.n_control.sum()
deaths = bm.absolute_effects(fits["counts, exact"], control_risk=float(risk), better="lower")
digits = {name: 3 if name.startswith("prob_") else 0 for name in deaths.table()}
per_1000 = deaths.table().round(digits).astype(object).T
print(table.drop(columns="what").round(3).to_string(), per_1000, sep="\n\n")
