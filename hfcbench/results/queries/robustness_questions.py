"""What can be asked of a results database about robustness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Unpack

from hfcbench.results.queries.asking import Asking
from hfcbench.results.queries.where import OF_ROWS, Filter, RowFilters, combined
from hfcbench.results.statistics import Answers

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.tradeoff import Tradeoff


class RobustnessQuestions(Asking):
    """The part of :class:`hfcbench.results.queries.questions.Questions` about attacks."""

    def robustness(
        self,
        *,
        metric: str = "top1",
        attack: str | None = None,
        attacked_with: float | None = None,
        pivot: bool = False,
        where: Filter | None = None,
        **filters: Unpack[RowFilters],
    ) -> pd.DataFrame:
        """How much of each model's score is left under each attack on originals.

        Tidy: one row per model, attack, epsilon and way to search with ``clean``, ``value``,
        ``drop`` = clean - value (the clean score is over its own number of images) and ``flags``.
        Pivoted: one row per model, a column such as ``fgsm@0.03`` or ``transfer pgd@0.03`` for
        each, named as in the leaderboard.

        Args:
            attack: this attack only, with or without its parameters.
            attacked_with: this epsilon only.
        """
        from hfcbench.results.queries.studies import robustness

        chosen = combined(where, filters, OF_ROWS)
        with self._reading() as connection:
            return robustness(
                connection,
                chosen,
                metric=metric,
                attack=attack,
                epsilon=attacked_with,
                pivot=pivot,
            )

    def robust_accuracy(
        self,
        *,
        attacked_with: float,
        where: Filter | None = None,
        **filters: Unpack[RowFilters],
    ) -> pd.DataFrame:
        """The share of images that each model gets right when clean and under every attack.

        One row per model that was seen both clean and attacked and whose predictions are stored:
        ``value`` with Wilson's 95% interval ``low`` to ``high`` over the ``n`` images that all of
        its evaluations on originals hold, ``clean`` accuracy over all of its images,
        ``attacked_by``, such as ``fgsm, pgd at 0.03``: rows compare where that and ``n`` agree, and
        ``flags``, what casts doubt on any of these attacks.
        Single answers are read for every row, so restrict the question in a large database.

        Args:
            attacked_with: attacks of this epsilon and of smaller ones count.

        Raises:
            UsageError: a model's clean and attacked images cannot be paired, or epsilons are of
                several norms.
        """
        from hfcbench.results.queries.robust_accuracy import robust_accuracy_frame

        chosen = combined(where, filters, OF_ROWS)
        with self._reading() as connection:
            return robust_accuracy_frame(connection, chosen, attacked_with)

    def worst_case(self, identities: Sequence[str]) -> Answers:
        """Which images are right in all of these evaluations, as of one model clean and attacked.

        See :func:`hfcbench.results.statistics.worst_case`.

        Raises:
            UsageError: predictions of one are not stored, or their images cannot be paired.
        """
        from hfcbench.results.queries.robust_accuracy import worst_case_answers

        with self._reading() as connection:
            return worst_case_answers(connection, identities)

    def tradeoff(
        self,
        *,
        epsilon: float | None = None,
        cutoff: float | None = None,
        group: Literal["configuration"] | None = None,
        where: Filter | None = None,
        **filters: Unpack[RowFilters],
    ) -> Tradeoff:
        """Accuracy (H. Wang et al., CVPR 2020, equation 1) against robust accuracy (equation 2).

        One row per training and defence, seen clean and under an attack at the edge of the ball,
        whose single answers are stored; these are read for every row, so restrict the question in a
        large database. Columns of the frame, beside what a row is of:

        - ``clean`` and ``lfc`` over the ``n`` clean images, ``robust`` over the ``n_attacked``
          ones, each with its 95% interval ``_low`` to ``_high`` (Wilson's). ``robust`` is the share
          that is right when clean and under every attack within the ball, which bounds the true
          value from above; ``attacked_by`` names the attacks. ``lfc`` is NaN where it is not known
          for these images.
        - ``gap``: the share of the attacked images that is right when clean and not robust; clean -
          robust where all images were attacked.
        - ``group``: rows compare that share it. They agree in dataset fingerprint, scale, split,
          procedure, clean and attacked images, and attacks. Of an undefended model an attack counts
          in every mode, which are the same there.
        - ``front``: of clean and robust, among the rows of the group. ``yes``: no other is at least
          as high in both and higher in one, so that equal rows are on it together; ``no``;
          ``alone``: there is no other to compare with; ``flagged``: robust is in doubt, and the row
          beats nobody; ``unknown``: a value is NaN, and the row beats nobody.
          ``three_way_front``: the same of clean, lfc and robust.
        - ``flags``: which attacks are in doubt and why, empty where none is. A worst case has the
          flags of its attacks but for those that another of its attacks answers.

        Args:
            epsilon: radius of the L-infinity ball, in pixel units of [0,1]: one that attacks reach
                the edge of; by default the smallest such.
            cutoff: radius or rank of the LFCs, cut as most are; by default the middle one.
            group: ``configuration`` for means over seeds, with Student's t intervals; ``rows`` is
                the number of seeds.
            where: which results it is about; fields of attacks and components are not taken.
            filters: the same as keyword arguments.

        Raises:
            UsageError: no attack reaches the edge of that ball, or no LFC is of that cutoff.
        """
        from hfcbench.results.queries.tradeoff import Question, tradeoff

        chosen = combined(where, filters, OF_ROWS)
        with self._reading() as connection:
            return tradeoff(connection, Question(epsilon, cutoff, group), chosen)
