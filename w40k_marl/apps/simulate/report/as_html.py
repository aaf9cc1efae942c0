"""The report as one self-contained HTML file: charts, tables,
and the manifest that identifies the run.
"""

from __future__ import annotations

import json
from importlib.resources import files

from .as_json import SWEEP_COLUMNS, as_data
from .as_text import as_lines
from .results import Outcome


def as_page(outcome: Outcome) -> str:
    """Return the whole page. Needs the extra ``report``, which ``make_plan`` has checked."""
    import jinja2  # here, because a run without a page does without them

    from . import charts

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    data = as_data(outcome)
    return environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8")).render(
        title=f"Load simulation of {', '.join(outcome.plan.scenarios)}",
        data=data,
        lines=as_lines(outcome),
        charts=charts,
        sweep_columns=SWEEP_COLUMNS,
        manifest=json.dumps(data["manifest"], indent=2),
    )


def _cell(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.2f}" if isinstance(value, float) else str(value)
