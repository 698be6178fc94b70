-- Reads the whole table.
SELECT section, count(*), sum(installed_size), max(length(description)) FROM packages GROUP BY section ORDER BY 3 DESC NULLS LAST;
