-- name: question_04_price_of_defences
-- title: 4. Which defence costs the least LFC accuracy per point of PGD robustness?
-- description: Differences to the same model without a defence; only defences that win something. lost and won are means over models, lost_per_point is their ratio. Give an epsilon such as 0.03 and a cutoff such as 8, or leave fields empty: then all count.
WITH low AS (
    SELECT training, defence, AVG(lfc) AS value
    FROM leaderboard
    WHERE gap IS NOT NULL
      AND :dataset IN ('', dataset)
      AND (:cutoff = '' OR cutoff = CAST(:cutoff AS REAL))
      AND :decomposition IN ('', decomposition)
      AND :rescaling IN ('', rescaling)
    GROUP BY training, defence
),
attacked AS (
    SELECT training, defence, AVG(accuracy) AS value
    FROM robustness
    WHERE (attack = 'pgd' OR attack LIKE 'pgd(%') AND attack_mode = 'adaptive'
      AND component = 'original'
      AND :dataset IN ('', dataset)
      AND (:epsilon = '' OR epsilon = CAST(:epsilon AS REAL))
    GROUP BY training, defence
),
costs AS (
    SELECT low.defence, AVG(undefended.value - low.value) AS lost
    FROM low JOIN low AS undefended USING (training)
    WHERE undefended.defence = 'none'
    GROUP BY low.defence
),
gains AS (
    SELECT attacked.defence, AVG(attacked.value - undefended.value) AS won
    FROM attacked JOIN attacked AS undefended USING (training)
    WHERE undefended.defence = 'none'
    GROUP BY attacked.defence
)
SELECT defence, lost / won AS lost_per_point, lost, won
FROM costs JOIN gains USING (defence)
WHERE won > 0
ORDER BY lost_per_point, defence
