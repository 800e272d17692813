"""Repeated sampling of language models, from Python: the public names of this project.

    import monkeys

    results = monkeys.load("arithmetic")            # a stored sample set, by any unique prefix of its name
    results.to_pandas()                             # one row per sample, with its verdict
    monkeys.coverage(results)                       # unbiased pass@k at each k, with intervals
    monkeys.forecast(results, [1_000, 10_000])      # expected coverage at larger k
    monkeys.sweep("my.yaml", k=200)                 # draw and grade what is missing

What is listed in `__all__` is public; everything else may change. A name is imported when it is first used, so that
`import monkeys` itself is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from monkeys.origin import require_one_parent

if TYPE_CHECKING:
    from flows.config.sweep import SweepConfig
    from flows.sweep import SweepResult
    from monkeys.analysis import compare, coverage, fit, forecast
    from monkeys.grading import grade, load_problems
    from monkeys.results import Results, Store, load, open_store
    from monkeys.sweeping import sweep
    from tasks.errors import UserError
    from tasks.records import (
        AnswerCheck,
        FunctionCheck,
        GradedSample,
        Problem,
        RepositoryCheck,
        Sample,
        SourceFile,
        StdioCheck,
        StdioTest,
        TheoremCheck,
        Verdict,
    )
    from tasks.scaling.comparison import Comparison
    from tasks.scaling.estimators import Counts
    from tasks.scaling.laws import NoFit, PowerLaw

    __version__: str

__all__ = [
    "AnswerCheck",
    "Comparison",
    "Counts",
    "FunctionCheck",
    "GradedSample",
    "NoFit",
    "PowerLaw",
    "Problem",
    "RepositoryCheck",
    "Results",
    "Sample",
    "SourceFile",
    "StdioCheck",
    "StdioTest",
    "Store",
    "SweepConfig",
    "SweepResult",
    "TheoremCheck",
    "UserError",
    "Verdict",
    "__version__",
    "compare",
    "coverage",
    "fit",
    "forecast",
    "grade",
    "load",
    "load_problems",
    "open_store",
    "sweep",
]

_RECORDS = (
    "AnswerCheck",
    "FunctionCheck",
    "GradedSample",
    "Problem",
    "RepositoryCheck",
    "Sample",
    "SourceFile",
    "StdioCheck",
    "StdioTest",
    "TheoremCheck",
    "Verdict",
)
_MODULES = {
    **dict.fromkeys(_RECORDS, "tasks.records"),
    **dict.fromkeys(("compare", "coverage", "fit", "forecast"), "monkeys.analysis"),
    **dict.fromkeys(("grade", "load_problems"), "monkeys.grading"),
    **dict.fromkeys(("Results", "Store", "load", "open_store"), "monkeys.results"),
    **dict.fromkeys(("NoFit", "PowerLaw"), "tasks.scaling.laws"),
    "Comparison": "tasks.scaling.comparison",
    "Counts": "tasks.scaling.estimators",
    "SweepConfig": "flows.config.sweep",
    "SweepResult": "flows.sweep",
    "UserError": "tasks.errors",
    "sweep": "monkeys.sweeping",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used.

    Raises:
        ImportError: another package called flows, tasks or sandboxes hides this project's.
    """
    if name == "__version__":
        from importlib.metadata import version

        return version("monkeys")
    if name not in _MODULES:
        raise AttributeError(f"module 'monkeys' has no attribute {name!r}")
    require_one_parent()
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
