-- A few packages are asked for often, most of them seldom.
\set id random_zipfian(1, :packages, 1.05)
SELECT package, version, section, description FROM packages WHERE id = :id;
