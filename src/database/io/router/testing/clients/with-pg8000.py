"""Converses by pg8000, as the other programs of this folder do by theirs; says what it gets."""
import io
import os
import pg8000

options = {name: os.environ["PG" + name.upper()] for name in ["user", "host", "password", "database"]}
one, other = (pg8000.connect(port=int(os.environ["PGPORT"]), **options) for _ in range(2))
one.autocommit = True
cursor, busy = one.cursor(), other.cursor()

cursor.execute("SELECT %s::int, %s::text, %s::text", (42, "it's größer", None))
print("parameters", list(cursor.fetchone()) == [42, "it's größer", None])

cursor.execute("SELECT %s::int + 1", (1,))
before = cursor.fetchone()[0]
busy.execute("SELECT 1")
cursor.execute("SELECT %s::int + 1", (2,))
print("prepared", before, cursor.fetchone()[0])
other.rollback()

cursor.execute("DROP TABLE IF EXISTS goods")
cursor.execute("CREATE TABLE goods (id int PRIMARY KEY, name text)")
busy.execute("INSERT INTO goods VALUES (%s, %s)", (1, "gone"))
other.rollback()
cursor.execute("SELECT count(*) FROM goods")
print("rolled back", cursor.fetchone()[0])

cursor.execute("COPY goods FROM STDIN", stream=io.BytesIO(b"1\tone\n2\ttwo\n3\t\\N\n"))
out = io.BytesIO()
cursor.execute("COPY (SELECT * FROM goods ORDER BY id) TO STDOUT", stream=out)
print("copied", len(out.getvalue().splitlines()))

for statement in ["SELECT 1/0", "SELECT 1"]:
    try:
        busy.execute(statement)
    except pg8000.Error as error:
        # It takes the fields as they come: severity, severity, SQLSTATE.
        print("error", error.args[2])
other.rollback()
busy.execute("SELECT count(*) FROM goods")
print("goes on", busy.fetchone()[0])
