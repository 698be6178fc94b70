\set id random_zipfian(1, :packages, 1.05)
UPDATE installs SET installs = installs + 1, last_installed = now() WHERE id = :id;
