# The test of 044_columnar_interrupts.pl once more, while blocks settle and thaw all the time.

use strict;
use warnings;
use FindBin;

BEGIN { $ENV{RUSTYDB_EAGER} = 1; }

my $test = "$FindBin::RealBin/044_columnar_interrupts.pl";
do $test;
die $@ if $@;
