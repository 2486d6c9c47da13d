-- name: question_09_disagreements
-- title: 9. On which images do they differ?
-- description: first and second are ids of evaluations of the same images, or their beginnings, from the column evaluation of the view results. image counts the evaluated images from 0.
WITH one AS (
    SELECT predictions.* FROM predictions JOIN evaluations USING (evaluation_id)
    WHERE LENGTH(:first) >= 4 AND SUBSTR(identity, 1, LENGTH(:first)) = :first
),
other AS (
    SELECT predictions.* FROM predictions JOIN evaluations USING (evaluation_id)
    WHERE LENGTH(:second) >= 4 AND SUBSTR(identity, 1, LENGTH(:second)) = :second
),
pairs AS (
    SELECT label_sets.labels_dtype, label_sets.labels, one.n, one.encoding,
           one.predicted_dtype AS dtype_first, one.predicted AS first,
           other.predicted_dtype AS dtype_second, other.predicted AS second,
           one.confidence_dtype, one.confidence AS sure_first, other.confidence AS sure_second
    FROM one JOIN other USING (label_set_id) JOIN label_sets USING (label_set_id)
),
labels AS MATERIALIZED (
    SELECT key AS image, value AS label
    FROM pairs, json_each(unpacked(n, encoding, labels_dtype, labels))
),
firsts AS MATERIALIZED (
    SELECT key AS image, value AS predicted_first
    FROM pairs, json_each(unpacked(n, encoding, dtype_first, first))
),
seconds AS MATERIALIZED (
    SELECT key AS image, value AS predicted_second
    FROM pairs, json_each(unpacked(n, encoding, dtype_second, second))
),
sure_firsts AS MATERIALIZED (
    SELECT key AS image, value AS confidence_first
    FROM pairs, json_each(unpacked(n, encoding, confidence_dtype, sure_first))
),
sure_seconds AS MATERIALIZED (
    SELECT key AS image, value AS confidence_second
    FROM pairs, json_each(unpacked(n, encoding, confidence_dtype, sure_second))
)
SELECT image, label, predicted_first, predicted_second,
       predicted_first = label AS correct_first, predicted_second = label AS correct_second,
       confidence_first, confidence_second
FROM labels JOIN firsts USING (image) JOIN seconds USING (image)
JOIN sure_firsts USING (image) JOIN sure_seconds USING (image)
WHERE predicted_first <> predicted_second
ORDER BY image
