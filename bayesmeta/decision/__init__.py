"""From effects to decisions: baselines, and what happens to people with and without a treatment."""

from .absolute import (
    AVERAGE,
    NEW,
    AbsoluteEffect,
    AbsoluteEffects,
    absolute_effects,
)
from .apart import of_fit
from .asked import asked_of, carrier_of, kind_for, middle_of
from .baselines import Baseline, baseline
from .carriers import Kind, carrier
from .draws.joint import Psa
from .draws.psa import psa
from .draws.psa_file import check_psa_file
from .draws.strands import PsaOutcome, check_psa_outcome
from .findings import EffectAlone, SummaryOfFindings, summary_of_findings
from .nnt import number_needed
from .ratios import OTHER, beside_of, pooled_control_risk, why_alone
from .together import MODEL

__all__ = [
    "AVERAGE",
    "MODEL",
    "NEW",
    "OTHER",
    "AbsoluteEffect",
    "AbsoluteEffects",
    "Baseline",
    "EffectAlone",
    "Kind",
    "Psa",
    "PsaOutcome",
    "SummaryOfFindings",
    "absolute_effects",
    "asked_of",
    "baseline",
    "beside_of",
    "carrier",
    "carrier_of",
    "check_psa_file",
    "check_psa_outcome",
    "kind_for",
    "middle_of",
    "number_needed",
    "of_fit",
    "pooled_control_risk",
    "psa",
    "summary_of_findings",
    "why_alone",
]
