"""The sampler of a run."""

import zlib

from ..engines import NUTS, Engine, default_engine
from ..model import Model
from ..specification import Specification


def nuts(spec: Specification, outcome: str, scenario: str) -> NUTS:
    """NUTS with a seed of its own for each fit, that does not depend on the order of fits."""
    seed = zlib.crc32(f"{spec.seed}/{outcome}/{scenario}".encode())
    sampler = spec.sampler
    return NUTS(
        seed=seed,
        draws=sampler.draws,
        tune=sampler.tune,
        chains=sampler.chains,
        target_accept=sampler.target_accept,
    )


def engine_of(spec: Specification, outcome: str, scenario: str, model: Model) -> Engine:
    """The exact engine where it can serve, else NUTS as above."""
    engine = default_engine(model)
    return nuts(spec, outcome, scenario) if isinstance(engine, NUTS) else engine
