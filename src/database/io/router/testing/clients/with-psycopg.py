"""Converses by psycopg 3, as the other programs of this folder do by theirs; says what it gets."""
import psycopg

one, other = psycopg.connect("", autocommit=True), psycopg.connect("")

row = one.execute("SELECT %s::int, %s::text, %s::text", (42, "it's größer", None)).fetchone()
print("parameters", row == (42, "it's größer", None))

before = one.execute("SELECT %s::int + 1", (1,), prepare=True).fetchone()[0]
other.execute("SELECT 1")
print("prepared", before, one.execute("SELECT %s::int + 1", (2,), prepare=True).fetchone()[0])
other.rollback()

one.execute("DROP TABLE IF EXISTS goods")
one.execute("CREATE TABLE goods (id int PRIMARY KEY, name text)")
other.execute("INSERT INTO goods VALUES (%s, %s)", (1, "gone"))
other.rollback()
print("rolled back", one.execute("SELECT count(*) FROM goods").fetchone()[0])

with one.cursor().copy("COPY goods FROM STDIN") as copy:
    for row in [(1, "one"), (2, "two"), (3, None)]:
        copy.write_row(row)
with one.cursor().copy("COPY (SELECT * FROM goods ORDER BY id) TO STDOUT") as copy:
    print("copied", len(list(copy.rows())))

for statement in ["SELECT 1/0", "SELECT 1"]:
    try:
        other.execute(statement)
    except psycopg.Error as error:
        print("error", error.sqlstate)
other.rollback()
print("goes on", other.execute("SELECT count(*) FROM goods").fetchone()[0])
