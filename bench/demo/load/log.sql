\set id random(1, :packages)
\set machine random(1, 500)
INSERT INTO install_log (package_id, machine, detail)
SELECT id, 'machine-' || :machine, description FROM packages WHERE id = :id;
