"""Converses by asyncpg, as the other programs of this folder do by theirs; says what it gets."""
import asyncio
import io
import asyncpg


async def converse():
    one, other = await asyncpg.connect(), await asyncpg.connect()

    row = await one.fetchrow("SELECT $1::int, $2::text, $3::text", 42, "it's größer", None)
    print("parameters", tuple(row) == (42, "it's größer", None))

    more = await one.prepare("SELECT $1::int + 1")
    before = await more.fetchval(1)
    busy = other.transaction()
    await busy.start()
    print("prepared", before, await more.fetchval(2))
    await busy.rollback()

    await one.execute("DROP TABLE IF EXISTS goods")
    await one.execute("CREATE TABLE goods (id int PRIMARY KEY, name text)")
    gone = other.transaction()
    await gone.start()
    await other.execute("INSERT INTO goods VALUES ($1, $2)", 1, "gone")
    await gone.rollback()
    print("rolled back", await one.fetchval("SELECT count(*) FROM goods"))

    await one.copy_records_to_table("goods", records=[(1, "one"), (2, "two"), (3, None)])
    out = io.BytesIO()
    await one.copy_from_query("SELECT * FROM goods ORDER BY id", output=out)
    print("copied", len(out.getvalue().splitlines()))

    failed = other.transaction()
    await failed.start()
    for statement in ["SELECT 1/0", "SELECT 1"]:
        try:
            await other.fetchval(statement)
        except asyncpg.PostgresError as error:
            print("error", error.sqlstate)
    await failed.rollback()
    print("goes on", await other.fetchval("SELECT count(*) FROM goods"))


asyncio.run(converse())
