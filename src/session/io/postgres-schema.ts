/**
 * Records of sessions as rows in Postgres, patched by a function: one transaction and one round trip.
 *
 * The tables are logged: what was acknowledged is there after a crash, as far as the server's own `synchronous_commit` goes.
 * The row's lock puts patches of one record in order; those of different records do not meet.
 */
import type { PostgresSchema } from "../../postgres/io/index.ts";

const TABLES = `
CREATE TABLE tenfold.sessions (
  space text, key bytea, fields jsonb NOT NULL, version bigint NOT NULL, ends timestamptz NOT NULL,
  PRIMARY KEY (space, key)
);
CREATE INDEX sessions_ends ON tenfold.sessions (ends);
CREATE TABLE tenfold.session_owners (
  space text, owner bytea, key text, ends timestamptz NOT NULL,
  PRIMARY KEY (space, owner, key)
);
CREATE INDEX session_owners_ends ON tenfold.session_owners (ends);
`;

const FUNCTIONS = `
CREATE FUNCTION tenfold.session_after(ms float8) RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT clock_timestamp() + ms * interval '1 millisecond'
$$;

CREATE FUNCTION tenfold.session_load(sp text, k bytea, OUT fields text, OUT version text) LANGUAGE sql STABLE AS $$
  SELECT s.fields::text, s.version::text FROM tenfold.sessions s
  WHERE s.space = sp AND s.key = k AND s.ends > clock_timestamp()
$$;

CREATE FUNCTION tenfold.session_create(sp text, k bytea, given jsonb, ttl_ms float8) RETURNS void LANGUAGE sql AS $$
  INSERT INTO tenfold.sessions AS s VALUES (sp, k, given, 1, tenfold.session_after(ttl_ms))
  ON CONFLICT (space, key) DO UPDATE SET fields = given, version = s.version + 1, ends = EXCLUDED.ends
$$;

-- The fields of a patch in the order of its parts; a sum is of whole numbers that JavaScript counts exactly.
CREATE FUNCTION tenfold.session_patch(sp text, k bytea, given jsonb, absent jsonb, added jsonb, removed text[],
  ttl_ms float8, if_version text, OUT status text, OUT written jsonb, OUT sums jsonb, OUT not_numbers jsonb)
LANGUAGE plpgsql AS $$
DECLARE
  now_fields jsonb; now_version bigint; name text; by_text text; old text; sum numeric;
  until timestamptz := tenfold.session_after(ttl_ms);
BEGIN
  SELECT s.fields, s.version INTO now_fields, now_version FROM tenfold.sessions s
  WHERE s.space = sp AND s.key = k AND s.ends > clock_timestamp() FOR UPDATE;
  status := 'gone';
  IF NOT FOUND THEN RETURN; END IF;
  status := 'conflict';
  IF now_version::text <> if_version THEN RETURN; END IF;
  status := 'applied';
  written := '[]'; sums := '{}'; not_numbers := '[]';
  IF given = '{}' AND absent = '{}' AND added = '{}' AND cardinality(removed) = 0 THEN
    -- More time alone rewrites no field.
    UPDATE tenfold.sessions s SET ends = until WHERE s.space = sp AND s.key = k;
    RETURN;
  END IF;
  now_fields := now_fields || given;
  IF absent <> '{}' THEN
    SELECT coalesce(jsonb_agg(a), '[]') INTO written FROM jsonb_object_keys(absent) a WHERE NOT now_fields ? a;
    now_fields := absent || now_fields;
  END IF;
  FOR name, by_text IN SELECT * FROM jsonb_each_text(added) LOOP
    old := coalesce(now_fields ->> name, '0');
    sum := CASE WHEN old ~ '^-?[0-9]{1,16}$' AND abs(old::numeric) <= 9007199254740991 THEN old::numeric + by_text::numeric END;
    IF sum IS NULL OR abs(sum) > 9007199254740991 THEN
      not_numbers := not_numbers || to_jsonb(name);
    ELSE
      now_fields := now_fields || jsonb_build_object(name, sum::text);
      sums := sums || jsonb_build_object(name, sum);
    END IF;
  END LOOP;
  UPDATE tenfold.sessions s SET fields = now_fields - removed, version = now_version + 1, ends = until
  WHERE s.space = sp AND s.key = k;
END $$;

CREATE FUNCTION tenfold.session_remove(sp text, k bytea) RETURNS boolean LANGUAGE sql AS $$
  WITH gone AS (DELETE FROM tenfold.sessions s WHERE s.space = sp AND s.key = k RETURNING s.ends)
  SELECT coalesce((SELECT ends > clock_timestamp() FROM gone), false)
$$;

CREATE FUNCTION tenfold.session_link(sp text, who bytea, k text, ttl_ms float8) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tenfold.session_owners AS o VALUES (sp, who, k, tenfold.session_after(ttl_ms))
  ON CONFLICT (space, owner, key) DO UPDATE SET ends = greatest(o.ends, EXCLUDED.ends);
  RETURN (SELECT count(*) FROM tenfold.session_owners o
    WHERE o.space = sp AND o.owner = who AND o.ends > clock_timestamp());
END $$;

CREATE FUNCTION tenfold.session_unlink(sp text, who bytea, ks text[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM tenfold.session_owners o WHERE o.space = sp AND o.owner = who AND o.key = ANY (ks)
$$;

CREATE FUNCTION tenfold.session_linked(sp text, who bytea) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT o.key FROM tenfold.session_owners o WHERE o.space = sp AND o.owner = who AND o.ends > clock_timestamp()
$$;

CREATE FUNCTION tenfold.session_sweep(batch integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE records integer; links integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('tenfold.session_sweep')) THEN RETURN 0; END IF;
  DELETE FROM tenfold.sessions WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM tenfold.sessions WHERE ends <= clock_timestamp() ORDER BY ends LIMIT batch FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS records = ROW_COUNT;
  DELETE FROM tenfold.session_owners WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM tenfold.session_owners WHERE ends <= clock_timestamp() ORDER BY ends LIMIT batch FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS links = ROW_COUNT;
  RETURN greatest(records, links);
END $$;
`;

/** What sessions keep in Postgres. */
export const SESSION_SCHEMA: PostgresSchema = {
  part: "session",
  steps: [TABLES + FUNCTIONS],
  readableFrom: 1,
};
