-- Reads a slice of the dependencies through an index that is not in their order.
\set first random(97, 120)
SELECT maintainer, count(*)
FROM packages JOIN dependencies USING (package)
WHERE depends_on >= chr(:first) AND depends_on < chr(:first) || 'f'
GROUP BY maintainer ORDER BY 2 DESC LIMIT 10;
