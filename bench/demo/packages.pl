# Debian package stanzas (apt-cache dumpavail, /var/lib/dpkg/status) on standard input to two files in COPY's text format:
# packages.copy and dependencies.copy, in the directory given. The tables are in tables.sql. Needs perl-base only.
use strict;
use warnings;

my $dir = shift or die "usage: packages.pl DIRECTORY\n";
open my $packages, '>', "$dir/packages.copy" or die "$dir/packages.copy: $!\n";
open my $dependencies, '>', "$dir/dependencies.copy" or die "$dir/dependencies.copy: $!\n";

my %seen;
my $id = 0;

# One column. Whatever is not UTF-8 would stop the COPY.
sub column
{
	my ($value) = @_;
	return '\N' if !defined $value || $value eq '';
	my $copy = $value;
	$value =~ s/[^\x00-\x7f]/?/g if !utf8::decode($copy);
	$value =~ s/\0//g;
	$value =~ s/\\/\\\\/g;
	$value =~ s/\t/\\t/g;
	$value =~ s/\n/\\n/g;
	$value =~ s/\r/\\r/g;
	return $value;
}

sub number { my ($value) = @_; return defined $value && $value =~ /^(\d+)$/ ? $1 : '\N'; }

sub write_row { my $out = shift; print $out join("\t", @_), "\n"; return; }

# "a (>= 1) | b, c:any": groups, of which every one must be met, of alternatives, of which one suffices.
sub write_dependencies
{
	my ($name, $kind, $list) = @_;
	my $group = 0;
	foreach my $alternatives (split /\s*,\s*/, $list // '')
	{
		my $alternative = 0;
		$group++;
		foreach my $one (split /\s*\|\s*/, $alternatives)
		{
			$one =~ /^\s*([^\s:(\[]+)(?::\S+)?\s*(?:\(\s*([<>=]+)\s*([^)\s]+)\s*\))?/ or next;
			write_row($dependencies, column($name), column($kind), $group, ++$alternative, column($1), column($2), column($3));
		}
	}
	return;
}

# The first stanza of a name is the one that apt prefers; the rest are other versions and architectures.
sub write_package
{
	my ($f) = @_;
	my $name = $f->{package};
	return if !defined $name || $seen{$name}++;
	write_row(
		$packages, ++$id, column($name), column($f->{version}), column($f->{architecture}), column($f->{section}),
		column($f->{priority}), number($f->{'installed-size'}), number($f->{size}), column($f->{source} // $name),
		column($f->{maintainer}), column($f->{homepage}), column($f->{description}));
	write_dependencies($name, $_, $f->{ lc $_ }) foreach qw(Depends Pre-Depends Recommends Suggests);
	return;
}

my %fields;
my $field;
while (my $line = <STDIN>)
{
	chomp $line;
	if ($line eq '') { write_package(\%fields); %fields = (); undef $field; }
	elsif ($line =~ /^([^\s:]+):\s*(.*)$/) { $field = lc $1; $fields{$field} = $2; }
	elsif ($line =~ /^\s(.*)$/ && defined $field) { $fields{$field} .= "\n$1"; }
}
write_package(\%fields);

close $packages or die "$dir/packages.copy: $!\n";
close $dependencies or die "$dir/dependencies.copy: $!\n";
