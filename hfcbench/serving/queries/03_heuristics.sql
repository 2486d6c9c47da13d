-- name: question_03_leaning_heuristics
-- title: 3. Which heuristic leans most on them, over all models and datasets?
-- description: Mean gap of undefended models, its sample standard deviation and how many models count; the least leaning first. Fields may stay empty; without a cutoff all cutoffs count.
SELECT heuristics, AVG(gap) AS mean, sample_deviation(gap) AS std, COUNT(gap) AS count
FROM leaderboard
WHERE gap IS NOT NULL AND defence = 'none'
  AND (:cutoff = '' OR cutoff = CAST(:cutoff AS REAL))
  AND :decomposition IN ('', decomposition)
  AND :rescaling IN ('', rescaling)
GROUP BY heuristics
ORDER BY mean, heuristics
