# The test of 031_columnar_standby.pl once more, while blocks settle and thaw all the time.

use strict;
use warnings;
use FindBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

BEGIN { $ENV{RUSTYDB_EAGER} = 1; }

my $test = "$FindBin::RealBin/031_columnar_standby.pl";
do $test;
die $@ if $@;
