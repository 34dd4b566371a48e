"""A cohort model of twenty lines on joint draws: every figure in capitals is made up.

uv run bayesmeta psa examples/decision/decision.toml -o psa.parquet --draws 10000
uv run examples/decision/cohort.py psa.parquet
"""

import sys

import pandas as pd

PATIENTS, PRICE, DAY, EVENT = 1000, 9000.0, 800.0, 5000.0  # and money per course, day, event
YEARS, UTILITY, LOSS = 9.0, 0.8, 0.05  # of survivors; QALYs lost with an event
SETTING = ""  # "_new": one setting like the trials' in place of their mean


def arm(draws: pd.DataFrame, name: str, setting: str = "") -> tuple[pd.Series, pd.Series]:
    """Return QALYs and money of the cohort in one arm, a value for each draw."""
    death = draws[f"mortality_risk_{name}{setting}"]
    event = draws[f"serious_adverse_events_risk_{name}{setting}"]
    qalys = PATIENTS * ((1 - death) * YEARS * UTILITY - event * LOSS)
    return qalys, PATIENTS * event * EVENT


draws = pd.read_parquet(sys.argv[1])
(with_qalys, with_money), (qalys, money) = arm(draws, "treatment", SETTING), arm(draws, "control")
more_qalys = with_qalys - qalys
more_money = with_money - money + PATIENTS * (PRICE + DAY * draws["hospital_stay_md"])
print(f"{PATIENTS:,} patients: {more_qalys.mean():+,.0f} QALYs, {more_money.mean():+,.0f} money")
for worth in (0, 1000, 3000, 10_000, 30_000):
    gain = worth * more_qalys - more_money
    print(f"worth {worth:6,}: net benefit {gain.mean():+14,.0f}, P(> 0) {(gain > 0).mean():.2f}")
