# The test of 033_columnar_replication.pl once more, while blocks settle and thaw all the time.

use strict;
use warnings;
use FindBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

BEGIN { $ENV{RUSTYDB_EAGER} = 1; }

my $test = "$FindBin::RealBin/033_columnar_replication.pl";
do $test;
die $@ if $@;
