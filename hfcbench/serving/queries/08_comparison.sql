-- name: question_08_comparison
-- title: 8. Is one model better than another on the same images?
-- description: first and second are ids of trainings, or their beginnings, from the column training of other queries. McNemar's test and a paired bootstrap under every condition that both saw; p_adjusted is Holm's.
WITH answers AS (
    SELECT trainings.identity AS training, conditions.condition_id, conditions.component,
           conditions.defence, conditions.attack, conditions.epsilon, predictions.*,
           MAX(evaluations.evaluation_id) AS newest
    FROM trainings
    JOIN evaluations ON evaluations.training_id = trainings.training_id
    JOIN conditions ON conditions.condition_id = evaluations.condition_id
    JOIN predictions ON predictions.evaluation_id = evaluations.evaluation_id
    WHERE (LENGTH(:first) >= 4 AND SUBSTR(trainings.identity, 1, LENGTH(:first)) = :first)
       OR (LENGTH(:second) >= 4 AND SUBSTR(trainings.identity, 1, LENGTH(:second)) = :second)
    GROUP BY trainings.training_id, conditions.condition_id, predictions.label_set_id
),
pairs AS (
    SELECT one.training AS first, other.training AS second,
           one.component, one.defence, one.attack, one.epsilon, one.condition_id,
           compared_answers(
               one.n, one.encoding,
               label_sets.labels_dtype, label_sets.labels,
               one.predicted_dtype, one.predicted,
               other.predicted_dtype, other.predicted
           ) AS found
    FROM answers AS one
    JOIN answers AS other
        ON other.condition_id = one.condition_id AND other.label_set_id = one.label_set_id
    JOIN label_sets ON label_sets.label_set_id = one.label_set_id
    WHERE SUBSTR(one.training, 1, LENGTH(:first)) = :first
      AND SUBSTR(other.training, 1, LENGTH(:second)) = :second
      AND one.training <> other.training
),
numbered AS (
    SELECT *, json_extract(found, '$.p_value') AS p_value, COUNT(*) OVER () AS tests,
           ROW_NUMBER() OVER (ORDER BY json_extract(found, '$.p_value'), condition_id) AS place
    FROM pairs
)
SELECT SUBSTR(first, 1, 8) AS first, SUBSTR(second, 1, 8) AS second,
       component, defence, attack, epsilon, json_extract(found, '$.n') AS n,
       json_extract(found, '$.accuracy_first') AS accuracy_first, json_extract(found, '$.accuracy_second') AS accuracy_second,
       json_extract(found, '$.difference') AS difference, json_extract(found, '$.low') AS low, json_extract(found, '$.high') AS high,
       json_extract(found, '$.only_first') AS only_first, json_extract(found, '$.only_second') AS only_second,
       json_extract(found, '$.test') AS test, p_value,
       MIN(1.0, MAX((tests - place + 1) * p_value) OVER (ORDER BY place)) AS p_adjusted
FROM numbered
ORDER BY condition_id, first, second
