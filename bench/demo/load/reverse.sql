-- Who needs this package, and how much is that?
\set id random(1, :packages)
SELECT d.kind, count(DISTINCT d.package), sum(p.installed_size)
FROM packages AS wanted
JOIN dependencies AS d ON d.depends_on = wanted.package
JOIN packages AS p ON p.package = d.package
WHERE wanted.id = :id
GROUP BY d.kind;
