-- After the load, which is faster.
ALTER TABLE packages ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX packages_package ON packages (package);
CREATE INDEX packages_section ON packages (section);
CREATE INDEX packages_maintainer ON packages (maintainer);
ALTER TABLE dependencies ADD PRIMARY KEY (package, kind, alternative_group, alternative);
CREATE INDEX dependencies_depends_on ON dependencies (depends_on);

INSERT INTO installs (id) SELECT id FROM packages;
ALTER TABLE installs ADD PRIMARY KEY (id);
ALTER TABLE install_log ADD PRIMARY KEY (id);
CREATE INDEX install_log_at ON install_log (at);

VACUUM (ANALYZE) packages, dependencies, installs;
