-- The package index of a Debian machine, and what a fleet of machines would do with it.

-- id is dense, so that a load can pick a package by a random number. installed_size is in KiB, size in bytes.
CREATE TABLE packages (
    id int NOT NULL,
    package text NOT NULL,
    version text,
    architecture text,
    section text,
    priority text,
    installed_size bigint,
    size bigint,
    source text,
    maintainer text,
    homepage text,
    description text
);

-- Every alternative_group of a package must be met; one of its alternatives suffices.
CREATE TABLE dependencies (
    package text NOT NULL,
    kind text NOT NULL,
    alternative_group int NOT NULL,
    alternative int NOT NULL,
    depends_on text NOT NULL,
    op text,
    version text
);

CREATE TABLE installs (
    id int NOT NULL,
    installs bigint NOT NULL DEFAULT 0,
    last_installed timestamptz
);

CREATE TABLE install_log (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    package_id int NOT NULL,
    machine text NOT NULL,
    detail text
);
