# Converses by DBD::Pg, as the other programs of this folder do by theirs; says what it gets.
use strict;
use warnings;
use utf8;
use DBI;

my %modes = (RaiseError => 1, PrintError => 0, pg_server_prepare => 1, pg_switch_prepared => 1);
my ($one, $other) = map { DBI->connect("dbi:Pg:", "", "", {%modes, AutoCommit => $_}) } (1, 0);

my @row = $one->selectrow_array("SELECT ?::int, ?::text, ?::text", undef, 42, "it's größer", undef);
print "parameters ", ($row[0] == 42 && $row[1] eq "it's größer" && !defined $row[2] ? "True" : "False"), "\n";

my $more = $one->prepare("SELECT ?::int + 1");
my $before = $one->selectrow_array($more, undef, 1);
$other->do("SELECT 1");
print "prepared $before ", $one->selectrow_array($more, undef, 2), "\n";
$other->rollback;

$one->do("DROP TABLE IF EXISTS goods");
$one->do("CREATE TABLE goods (id int PRIMARY KEY, name text)");
$other->do("INSERT INTO goods VALUES (?, ?)", undef, 1, "gone");
$other->rollback;
print "rolled back ", $one->selectrow_array("SELECT count(*) FROM goods"), "\n";

$one->do("COPY goods FROM STDIN");
$one->pg_putcopydata($_) for "1\tone\n", "2\ttwo\n", "3\t\\N\n";
$one->pg_putcopyend;
$one->do("COPY (SELECT * FROM goods ORDER BY id) TO STDOUT");
my ($line, $lines) = ("", 0);
$lines++ while $one->pg_getcopydata(\$line) >= 0;
print "copied $lines\n";

for my $statement ("SELECT 1/0", "SELECT 1") {
    eval { $other->selectrow_array($statement) };
    print "error ", $other->state, "\n";
}
$other->rollback;
print "goes on ", $other->selectrow_array("SELECT count(*) FROM goods"), "\n";
$other->rollback;
