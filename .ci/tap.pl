# prove, with numbers: runs TAP tests (Perl files or compiled programs), some at a time, and writes to the file that
# TAP_COUNT names "passed failed skipped file…", the files being those with a failure. A file that fails without a failed
# test (it died, its plan was wrong, or it took too long) counts as one failure. A file that says "# runs alone" in its
# first lines, because it measures time, starts when the others have ended.
#
#   perl .ci/tap.pl JOBS SECONDS FILE…
use strict;
use warnings;
use TAP::Harness;

my ($jobs, $seconds, @files) = @ARGV;
# In the foreground, so that they stay in our process group and go when it is told to.
my @limited = ('timeout', '--foreground', '--kill-after=30', $seconds);
my %alone = map { $_ => 1 } grep { runs_alone($_) } @files;
my $harness = TAP::Harness->new(
	{
		jobs  => $jobs,
		timer => 1,
		rules => { seq => [ { par => [ grep { !$alone{$_} } @files ] }, grep { $alone{$_} } @files ] },
		exec  => sub { my $file = $_[1]; return [ @limited, $file =~ /\.pl$/ ? $^X : (), $file ]; },
	});
my $aggregate = $harness->runtests(@files);

sub runs_alone
{
	my ($file) = @_;
	return 0 if $file !~ /\.pl$/;
	open my $in, '<', $file or die "$file: $!";
	while (my $line = <$in>)
	{
		return 1 if $line =~ /^# runs alone\b/i;
		last if $. > 20;
	}
	return 0;
}

my ($passed, $failed, $skipped, @failing) = (0, 0, 0);
foreach my $parser ($aggregate->parsers)
{
	my $failures = $parser->failed;
	$failures = 1 if $failures == 0 && $parser->has_problems;
	$passed += $parser->passed - $parser->skipped;
	$skipped += $parser->skip_all ? 1 : $parser->skipped;
	$failed += $failures;
}
foreach my $file (@files)
{
	my ($parser) = $aggregate->parsers($file);
	push @failing, $file if !defined $parser || $parser->has_problems;
}

open my $out, '>', $ENV{TAP_COUNT} or die "$ENV{TAP_COUNT}: $!";
print $out "$passed $failed $skipped @failing\n";
close $out or die "$ENV{TAP_COUNT}: $!";
exit($failed ? 1 : 0);
