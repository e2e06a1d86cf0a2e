/**
 * A schema in which one write reaches many tables by many ways, writes that do, and queries that must notice: cached and
 * direct answers are compared after each write.
 */
import type { QueryCacheOptions } from "../query-cache.ts";

/** Makes it, in a schema of its own on the search path. */
export const SCHEMA_SQL = `
  CREATE SCHEMA deps;
  CREATE TABLE deps.country (id int PRIMARY KEY, name text);
  CREATE TABLE deps.city (id int PRIMARY KEY, country int REFERENCES deps.country ON DELETE CASCADE ON UPDATE CASCADE, n int DEFAULT 0);
  CREATE TABLE deps.street (id int PRIMARY KEY, city int REFERENCES deps.city ON DELETE SET NULL);
  CREATE TABLE deps.house (id int PRIMARY KEY, street int REFERENCES deps.street ON DELETE CASCADE);
  CREATE TABLE deps.event (id int, kind int, n int, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
  CREATE TABLE deps.event_0 PARTITION OF deps.event FOR VALUES IN (0);
  CREATE TABLE deps.event_1 PARTITION OF deps.event FOR VALUES IN (1, 2) PARTITION BY RANGE (id);
  CREATE TABLE deps.event_1a PARTITION OF deps.event_1 FOR VALUES FROM (0) TO (5);
  CREATE TABLE deps.event_1b PARTITION OF deps.event_1 FOR VALUES FROM (5) TO (100);
  CREATE TABLE deps.animal (id int, name text);
  CREATE TABLE deps.dog (tricks int) INHERITS (deps.animal);
  CREATE TABLE deps.puppy (weeks int) INHERITS (deps.dog);
  CREATE VIEW deps.big_city AS SELECT id, country, n FROM deps.city WHERE n > 1;
  CREATE VIEW deps.summary AS
    SELECT c.name, (SELECT count(*) FROM deps.big_city b WHERE b.country = c.id) AS cities FROM deps.country c;
  CREATE MATERIALIZED VIEW deps.frozen AS SELECT count(*) AS n FROM deps.animal;
  CREATE TABLE deps.log (id serial, what text);
  CREATE FUNCTION deps.note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO deps.log (what) VALUES (TG_OP); RETURN NULL; END $$;
  CREATE TRIGGER note AFTER INSERT OR DELETE ON deps.animal FOR EACH STATEMENT EXECUTE FUNCTION deps.note();
  CREATE FUNCTION deps.cities() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM deps.city';
  CREATE FUNCTION deps.grow(int) RETURNS void LANGUAGE sql AS 'UPDATE deps.city SET n = n + 1 WHERE id = $1';
`;

/** What the cache must be told of it. */
export const RULES: Pick<QueryCacheOptions, "triggers" | "functions"> = {
  triggers: { "deps.animal": ["deps.log"] },
  functions: { "deps.cities": { reads: ["deps.city"] }, "deps.grow": { writes: ["deps.city"] } },
};

/** Writes; `$` stands for a number below 10, `%` for one below 3. What breaks a rule of the schema is an error, and no matter. */
export const WRITES: readonly string[] = [
  "INSERT INTO deps.country VALUES ($, 'c$') ON CONFLICT (id) DO UPDATE SET name = 'again $'",
  "INSERT INTO deps.city SELECT $, id, % FROM deps.country LIMIT 1",
  "INSERT INTO deps.street VALUES ($, $)",
  "INSERT INTO deps.house VALUES ($, $)",
  "DELETE FROM deps.country WHERE id = $",
  "UPDATE deps.country SET id = 10 + $ WHERE id = $",
  "UPDATE deps.country SET id = $ WHERE id > 9",
  "DELETE FROM deps.city WHERE id = $",
  "DELETE FROM deps.street WHERE id = $",
  "UPDATE deps.big_city SET n = n + 1",
  "SELECT deps.grow($)",
  "INSERT INTO deps.event VALUES ($, %, $)",
  "INSERT INTO deps.event_1 VALUES ($, 1, $)",
  "UPDATE deps.event_1b SET n = n + 1",
  "UPDATE deps.event SET kind = % WHERE id = $",
  "DELETE FROM ONLY deps.event_0 WHERE id = $",
  "TRUNCATE deps.event_1",
  "INSERT INTO deps.animal VALUES ($, 'a')",
  "INSERT INTO deps.puppy VALUES ($, 'p', %, $)",
  "UPDATE deps.animal SET name = 'n$' WHERE id = $",
  "DELETE FROM deps.dog WHERE id = $",
  "REFRESH MATERIALIZED VIEW deps.frozen",
  "TRUNCATE deps.street CASCADE",
  "TRUNCATE deps.country CASCADE",
  "MERGE INTO deps.city t USING deps.country s ON t.country = s.id WHEN MATCHED AND t.n > 3 THEN DELETE WHEN MATCHED THEN UPDATE SET n = t.n + 1",
  "WITH gone AS (DELETE FROM deps.house RETURNING street) DELETE FROM deps.street USING gone WHERE id = street",
  "INSERT INTO deps.log (what) SELECT name FROM deps.summary",
  "CREATE OR REPLACE VIEW deps.big_city AS SELECT id, country, n FROM deps.city WHERE n > %",
  "ALTER TABLE deps.city ALTER n SET DEFAULT %",
];

/** Queries, each of which gives all that it can see. */
export const READS: readonly string[] = [
  "SELECT * FROM deps.country ORDER BY id",
  "SELECT * FROM deps.city ORDER BY id",
  "SELECT * FROM deps.street JOIN deps.house ON house.street = street.id ORDER BY house.id",
  "SELECT * FROM deps.house ORDER BY id",
  "SELECT * FROM deps.street ORDER BY id",
  "SELECT * FROM deps.summary ORDER BY name",
  "SELECT tableoid::regclass::text, * FROM deps.event ORDER BY kind, id",
  "SELECT * FROM deps.event_1a ORDER BY id",
  "WITH event AS (SELECT * FROM deps.event_1) SELECT count(*), sum(n) FROM event",
  "SELECT * FROM deps.animal ORDER BY id, name",
  "SELECT * FROM ONLY deps.animal ORDER BY id, name",
  "SELECT * FROM deps.puppy ORDER BY id",
  "SELECT * FROM deps.frozen",
  "SELECT what, count(*) FROM deps.log GROUP BY what ORDER BY what",
  "SELECT name, deps.cities() FROM deps.country ORDER BY name",
];
