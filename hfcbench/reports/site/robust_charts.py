"""Charts of one training under attack: its attacks, and its defences, against epsilon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hfcbench.reports.site.elements import Chart, Series
from hfcbench.reports.site.training_charts import chart_of, line_of, metric_name
from hfcbench.reports.site.wording import count_text

if TYPE_CHECKING:
    import pandas as pd

_NAMED_MODES = ("transfer", "oblivious")
_NORMS = {
    "linf": "how far each pixel may change, in units of its range",
    "l2": "how far an image may change in the L2 norm, in units of a pixel's range",
}


def robust_charts(scores: pd.DataFrame, metric: str) -> list[Chart]:
    """Scores under attack against epsilon: a line per attack, and a line per defence.

    Args:
        scores: of the metric, of one training, as ``Store.evaluations`` has them.
    """
    charts = []
    for place, (norm, split, n, rows) in enumerate(_comparable(scores)):
        of = f"{count_text(n, 'image')} of {split}; epsilon is {_NORMS.get(norm, norm)}."
        attacks, defences = _attack_lines(rows), _defence_lines(rows)
        title = f"{metric_name(metric)} against epsilon"
        if attacks:
            summary = f"The model without a defence, under each attack: {of}"
            charts.append(chart_of(f"robust-{place}", title, summary, "epsilon", metric, attacks))
        if len(defences) > 1:
            summary = f"The worst attack that knows the defence, at each epsilon: {of}"
            title = f"{title}, by defence"
            charts.append(
                chart_of(f"defended-{place}", title, summary, "epsilon", metric, defences)
            )
    return charts


def _comparable(scores: pd.DataFrame) -> Iterator[tuple[str, str, int, pd.DataFrame]]:
    """Scores under attack that may stand in one chart: of one norm, split and number of images."""
    attacked = scores[
        (scores["attack"] != "none") & (scores["part"] == "original") & scores["epsilon"].notna()
    ]
    norms = attacked["attack_norm"].fillna("linf")
    grouped: Any = attacked.groupby([norms, "split", "n"], sort=True)
    for (norm, split, n), rows in grouped:
        yield str(norm), str(split), int(n), rows


def _attack_lines(rows: pd.DataFrame) -> list[Series]:
    undefended = rows[rows["defence"] == "none"]
    named = undefended.groupby(_attacks(undefended), sort=True)
    return [
        line_of(str(name), line, "epsilon", 1 + number) for number, (name, line) in enumerate(named)
    ]


def _defence_lines(rows: pd.DataFrame) -> list[Series]:
    """The worst score at each epsilon; attacks that do not know the defence are left out."""
    adaptive = rows[~rows["attack_mode"].isin(_NAMED_MODES)]
    worst = adaptive.sort_values("value").drop_duplicates(["defence", "epsilon"])
    names = sorted(set(worst["defence"]), key=lambda name: (name != "none", name))
    return [
        line_of("no defence" if name == "none" else name, line, "epsilon", number)
        for number, name in enumerate(names)
        for line in [worst[worst["defence"] == name]]
    ]


def _attacks(rows: pd.DataFrame) -> pd.Series[Any]:
    """What each row's attack is called: what it does not know, and how it was searched for."""
    import pandas as pd

    searches = {
        attack: len(set(of["criterion"].fillna(""))) > 1 for attack, of in rows.groupby("attack")
    }
    records = rows.to_dict("records")
    names = [_attack(record, searches[record["attack"]]) for record in records]
    return pd.Series(names, rows.index, dtype=object)


def _attack(record: dict[Any, Any], several: bool) -> str:
    mode = f"{record['attack_mode']} " if record["attack_mode"] in _NAMED_MODES else ""
    search = f" [{record['criterion']}]" if several else ""
    return f"{mode}{record['attack']}{search}"
