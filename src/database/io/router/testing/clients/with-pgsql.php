<?php
// Converses by pgsql and PDO of PHP, as the other programs of this folder do by theirs; says what it gets.
$one = pg_connect("");
$other = new PDO("pgsql:", getenv("PGUSER"), getenv("PGPASSWORD"));

$row = pg_fetch_row(pg_query_params($one, 'SELECT $1::int, $2::text, $3::text', [42, "it's größer", null]));
echo "parameters ", $row === ["42", "it's größer", null] ? "True" : "False", "\n";

pg_prepare($one, "more", 'SELECT $1::int + 1');
$before = pg_fetch_result(pg_execute($one, "more", [1]), 0, 0);
$other->beginTransaction();
$other->query("SELECT 1");
echo "prepared $before ", pg_fetch_result(pg_execute($one, "more", [2]), 0, 0), "\n";
$other->rollBack();

pg_query($one, "DROP TABLE IF EXISTS goods");
pg_query($one, "CREATE TABLE goods (id int PRIMARY KEY, name text)");
$other->beginTransaction();
$other->prepare("INSERT INTO goods VALUES (?, ?)")->execute([1, "gone"]);
$other->rollBack();
echo "rolled back ", pg_fetch_result(pg_query($one, "SELECT count(*) FROM goods"), 0, 0), "\n";

pg_copy_from($one, "goods", ["1\tone\n", "2\ttwo\n", "3\t\\N\n"]);
echo "copied ", count(pg_copy_to($one, "goods")), "\n";

$other->beginTransaction();
foreach (["SELECT 1/0", "SELECT 1"] as $statement) {
    try {
        $other->query($statement);
    } catch (PDOException $error) {
        echo "error ", $error->getCode(), "\n";
    }
}
$other->rollBack();
echo "goes on ", $other->query("SELECT count(*) FROM goods")->fetchColumn(), "\n";
