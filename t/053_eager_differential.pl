# The test of 040_columnar_differential.pl once more, while blocks settle and thaw all the time.

use strict;
use warnings;
use FindBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

BEGIN { $ENV{RUSTYDB_EAGER} = 1; }

my $test = "$FindBin::RealBin/040_columnar_differential.pl";
do $test;
die $@ if $@;
