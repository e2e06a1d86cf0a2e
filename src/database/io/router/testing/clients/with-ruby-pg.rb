# Converses by pg of Ruby, as the other programs of this folder do by theirs; says what it gets.
require "pg"

one, other = PG.connect, PG.connect

row = one.exec_params("SELECT $1::int, $2::text, $3::text", [42, "it's größer", nil]).values.first
puts "parameters #{row == ["42", "it's größer", nil] ? "True" : "False"}"

one.prepare("more", "SELECT $1::int + 1")
before = one.exec_prepared("more", [1]).getvalue(0, 0)
other.exec("BEGIN")
other.exec("SELECT 1")
puts "prepared #{before} #{one.exec_prepared("more", [2]).getvalue(0, 0)}"
other.exec("ROLLBACK")

one.exec("DROP TABLE IF EXISTS goods")
one.exec("CREATE TABLE goods (id int PRIMARY KEY, name text)")
other.exec("BEGIN")
other.exec_params("INSERT INTO goods VALUES ($1, $2)", [1, "gone"])
other.exec("ROLLBACK")
puts "rolled back #{one.exec("SELECT count(*) FROM goods").getvalue(0, 0)}"

one.copy_data("COPY goods FROM STDIN") do
  ["1\tone\n", "2\ttwo\n", "3\t\\N\n"].each { |line| one.put_copy_data(line) }
end
lines = 0
one.copy_data("COPY (SELECT * FROM goods ORDER BY id) TO STDOUT") do
  lines += 1 while one.get_copy_data
end
puts "copied #{lines}"

other.exec("BEGIN")
["SELECT 1/0", "SELECT 1"].each do |statement|
  other.exec(statement)
rescue PG::Error => error
  puts "error #{error.result.error_field(PG::PG_DIAG_SQLSTATE)}"
end
other.exec("ROLLBACK")
puts "goes on #{other.exec("SELECT count(*) FROM goods").getvalue(0, 0)}"
