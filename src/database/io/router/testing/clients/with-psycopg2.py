"""Converses by psycopg2, as the other programs of this folder do by theirs; says what it gets."""
import io
import psycopg2

one, other = psycopg2.connect(""), psycopg2.connect("")
one.autocommit = True
cursor, busy = one.cursor(), other.cursor()

cursor.execute("SELECT %s::int, %s::text, %s::text", (42, "it's größer", None))
print("parameters", cursor.fetchone() == (42, "it's größer", None))

cursor.execute("PREPARE more AS SELECT $1::int + 1")
cursor.execute("EXECUTE more(%s)", (1,))
before = cursor.fetchone()[0]
busy.execute("SELECT 1")
cursor.execute("EXECUTE more(%s)", (2,))
print("prepared", before, cursor.fetchone()[0])
other.rollback()

cursor.execute("DROP TABLE IF EXISTS goods")
cursor.execute("CREATE TABLE goods (id int PRIMARY KEY, name text)")
busy.execute("INSERT INTO goods VALUES (1, 'gone')")
other.rollback()
cursor.execute("SELECT count(*) FROM goods")
print("rolled back", cursor.fetchone()[0])

cursor.copy_expert("COPY goods FROM STDIN", io.StringIO("1\tone\n2\ttwo\n3\t\\N\n"))
out = io.StringIO()
cursor.copy_expert("COPY (SELECT * FROM goods ORDER BY id) TO STDOUT", out)
print("copied", len(out.getvalue().splitlines()))

try:
    busy.execute("SELECT 1/0")
except psycopg2.Error as error:
    print("error", error.pgcode)
try:
    busy.execute("SELECT 1")
except psycopg2.Error as error:
    print("error", error.pgcode)
other.rollback()
busy.execute("SELECT count(*) FROM goods")
print("goes on", busy.fetchone()[0])
