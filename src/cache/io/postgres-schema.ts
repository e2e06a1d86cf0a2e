/**
 * Leases, values and invalidations as functions in Postgres: each call is one transaction and one round trip.
 *
 * The tables are UNLOGGED: not in the write-ahead log, not on replicas, and empty after a crash, all of them together. So a
 * crash loses the cache, never an invalidation. A counter that is not there begins at the present microsecond, above
 * whatever entries may be left from before, and floors them.
 *
 *   cache_spaces  one row a cache: n counts invalidations; what was loaded before `floor` is invalid, and with tags before `tag_floor`
 *   cache_marks   the counter at the last invalidation of a tag (kind t) or a prefix (kind p)
 *   cache         one row a key: the value, with the counter as it was before its load; and the lease, by kind L load, W write,
 *                 C contended write, P put
 *
 * What one statement reads is of one moment; between two statements anything may commit. Hence:
 * - Whether an entry is current is decided in the statement that reads it, counters, floors and marks at once.
 * - An entry that was stored while an invalidation committed carries the older counter, and is found invalid when it is read.
 * - Steps on one key meet at its row. One that does not see a row which is just being made (a lease) need not: the load that
 *   the lease is for begins after the invalidation's statement, and so after the change that it tells of.
 * - Whatever stores does so under a lease, a put too (two steps). So a statement that a hung server process carries out
 *   long after its caller has given up finds its lease gone.
 */
import type { PostgresSchema } from "../../postgres/io/index.ts";

const TABLES = `
CREATE UNLOGGED TABLE tenfold.cache_spaces (
  space text PRIMARY KEY,
  n bigint NOT NULL,
  floor bigint NOT NULL,
  tag_floor bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE UNLOGGED TABLE tenfold.cache_marks (
  space text, kind "char", name bytea, at bigint NOT NULL,
  PRIMARY KEY (space, kind, name)
);
CREATE UNLOGGED TABLE tenfold.cache (
  space text, key bytea,
  payload bytea, tags bytea[], load_ms float8, since bigint,
  fresh_until timestamptz, stale_until timestamptz,
  lease_kind "char", lease_token text, lease_since bigint, lease_until timestamptz,
  ends timestamptz NOT NULL,
  PRIMARY KEY (space, key)
);
CREATE INDEX cache_ends ON tenfold.cache (ends);
-- Compressed by the app already, where it is worth it.
ALTER TABLE tenfold.cache ALTER payload SET STORAGE EXTERNAL;
`;

const FUNCTIONS = `
CREATE FUNCTION tenfold.cache_space(sp text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE at bigint;
BEGIN
  SELECT n INTO at FROM tenfold.cache_spaces WHERE space = sp;
  IF NOT FOUND THEN
    at := extract(epoch FROM clock_timestamp()) * 1000000;
    INSERT INTO tenfold.cache_spaces (space, n, floor) VALUES (sp, at, at) ON CONFLICT DO NOTHING;
    SELECT n INTO at FROM tenfold.cache_spaces WHERE space = sp;
  END IF;
  RETURN at;
END $$;

-- STABLE: what it reads is of the moment of the statement that calls it. PL/pgSQL, since its plans are kept.
CREATE FUNCTION tenfold.cache_current(sp text, k bytea, since bigint, tagged bytea[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE s tenfold.cache_spaces;
BEGIN
  SELECT * INTO s FROM tenfold.cache_spaces c WHERE c.space = sp;
  IF s.n IS NULL OR since < s.floor THEN RETURN false; END IF;
  IF since >= s.n THEN RETURN true; END IF;
  IF cardinality(tagged) > 0 AND (since < s.tag_floor OR EXISTS (
    SELECT FROM tenfold.cache_marks m WHERE m.space = sp AND m.kind = 't' AND m.at > since AND m.name IN (
      SELECT CASE WHEN length(t) <= 1024 THEN t ELSE '\\xff'::bytea || sha256(t) END FROM unnest(tagged) t)))
  THEN RETURN false; END IF;
  RETURN NOT EXISTS (SELECT FROM tenfold.cache_marks m
    WHERE m.space = sp AND m.kind = 'p' AND m.at > since AND m.name = substr(k, 1, length(m.name)));
END $$;

CREATE FUNCTION tenfold.cache_peek(sp text, id bytea, k bytea,
  OUT kind text, OUT fresh_ms float8, OUT stale_ms float8, OUT load_ms float8, OUT tags bytea[], OUT payload bytea,
  OUT is_leased boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE is_current boolean; now timestamptz := clock_timestamp();
BEGIN
  -- One statement: the row and what judges it are of one moment. Mostly nothing was invalidated since, which needs no more.
  SELECT c.lease_until > now,
    c.payload IS NOT NULL AND c.stale_until > now AND c.since >= s.floor
      AND (c.since >= s.n OR tenfold.cache_current(sp, k, c.since, c.tags)),
    extract(epoch FROM c.fresh_until - now)::float8 * 1000, extract(epoch FROM c.stale_until - now)::float8 * 1000,
    c.load_ms, c.tags, c.payload
  INTO is_leased, is_current, fresh_ms, stale_ms, load_ms, tags, payload
  FROM tenfold.cache c JOIN tenfold.cache_spaces s ON s.space = c.space WHERE c.space = sp AND c.key = id;
  IF is_current THEN
    kind := 'hit';
  ELSE
    fresh_ms := NULL; stale_ms := NULL; load_ms := NULL; tags := NULL; payload := NULL;
  END IF;
END $$;

CREATE FUNCTION tenfold.cache_lookup(sp text, id bytea, k bytea, token text, lease_ms float8, refresh boolean,
  OUT kind text, OUT fresh_ms float8, OUT stale_ms float8, OUT load_ms float8, OUT tags bytea[], OUT payload bytea)
LANGUAGE plpgsql AS $$
DECLARE entry record; n bigint; until timestamptz;
BEGIN
  SELECT * INTO entry FROM tenfold.cache_peek(sp, id, k);
  kind := entry.kind; fresh_ms := entry.fresh_ms; stale_ms := entry.stale_ms;
  load_ms := entry.load_ms; tags := entry.tags; payload := entry.payload;
  IF kind = 'hit' AND fresh_ms > 0 AND NOT refresh THEN RETURN; END IF;
  kind := 'wait';
  IF entry.is_leased THEN RETURN; END IF;
  n := tenfold.cache_space(sp);
  until := clock_timestamp() + lease_ms * interval '1 millisecond';
  INSERT INTO tenfold.cache AS e (space, key, lease_kind, lease_token, lease_since, lease_until, ends)
  VALUES (sp, id, 'L', token, n, until, until)
  ON CONFLICT (space, key) DO UPDATE SET lease_kind = 'L', lease_token = EXCLUDED.lease_token,
    lease_since = EXCLUDED.lease_since, lease_until = EXCLUDED.lease_until, ends = greatest(e.ends, EXCLUDED.ends)
  WHERE e.lease_until IS NULL OR e.lease_until <= clock_timestamp();
  IF FOUND THEN kind := 'won'; END IF;
END $$;

CREATE FUNCTION tenfold.cache_fill(sp text, id bytea, k bytea, token text,
  value bytea, ttl_ms float8, grace_ms float8, took_ms float8, tagged bytea[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE fresh timestamptz := clock_timestamp() + ttl_ms * interval '1 millisecond';
DECLARE stale timestamptz := fresh + grace_ms * interval '1 millisecond';
BEGIN
  UPDATE tenfold.cache SET payload = value, tags = tagged, load_ms = took_ms, since = lease_since,
    fresh_until = fresh, stale_until = stale, ends = stale,
    lease_kind = NULL, lease_token = NULL, lease_since = NULL, lease_until = NULL
  WHERE space = sp AND key = id AND lease_token = token AND lease_kind <> 'C' AND lease_until > clock_timestamp()
    AND tenfold.cache_current(sp, k, lease_since, tagged);
  IF FOUND THEN RETURN true; END IF;
  PERFORM tenfold.cache_release(sp, id, token);
  RETURN false;
END $$;

CREATE FUNCTION tenfold.cache_release(sp text, id bytea, token text) RETURNS void LANGUAGE sql AS $$
  UPDATE tenfold.cache SET lease_kind = NULL, lease_token = NULL, lease_since = NULL, lease_until = NULL
  WHERE space = sp AND key = id AND lease_token = token AND lease_kind <> 'C'
$$;

CREATE FUNCTION tenfold.cache_renew(sp text, id bytea, token text, lease_ms float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE until timestamptz := clock_timestamp() + lease_ms * interval '1 millisecond';
BEGIN
  UPDATE tenfold.cache SET lease_until = until, ends = greatest(ends, until)
  WHERE space = sp AND key = id AND lease_token = token AND lease_until > clock_timestamp();
END $$;

-- kind P: the value goes, and the last of several puts gets the lease. Kind W: the value stays, and of several writers none gets it.
CREATE FUNCTION tenfold.cache_begin(sp text, id bytea, token text, lease_ms float8, wanted "char") RETURNS void
LANGUAGE plpgsql AS $$
DECLARE n bigint := tenfold.cache_space(sp);
DECLARE until timestamptz := clock_timestamp() + lease_ms * interval '1 millisecond';
BEGIN
  INSERT INTO tenfold.cache AS e (space, key, lease_kind, lease_token, lease_since, lease_until, ends)
  VALUES (sp, id, wanted, token, n, until, until)
  ON CONFLICT (space, key) DO UPDATE SET
    lease_kind = CASE WHEN wanted = 'W' AND e.lease_until > clock_timestamp() AND e.lease_kind IN ('W', 'C')
      THEN 'C' ELSE wanted END,
    lease_token = EXCLUDED.lease_token, lease_since = EXCLUDED.lease_since, lease_until = EXCLUDED.lease_until,
    payload = CASE WHEN wanted = 'P' THEN NULL ELSE e.payload END, ends = greatest(e.ends, EXCLUDED.ends);
END $$;

CREATE FUNCTION tenfold.cache_end(sp text, id bytea, k bytea, token text, value bytea, ttl_ms float8, grace_ms float8,
  took_ms float8, tagged bytea[], is_put boolean, channel text, message text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE is_filled boolean := tenfold.cache_fill(sp, id, k, token, value, ttl_ms, grace_ms, took_ms, tagged);
BEGIN
  -- A put that lost its lease lost it to something later, which said what the value is.
  IF NOT is_filled AND NOT is_put THEN DELETE FROM tenfold.cache WHERE space = sp AND key = id; END IF;
  PERFORM pg_notify(channel, message);
  RETURN is_filled;
END $$;

CREATE FUNCTION tenfold.cache_invalidate_key(sp text, id bytea, soft boolean, channel text, message text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF soft THEN
    UPDATE tenfold.cache SET fresh_until = least(fresh_until, clock_timestamp()),
      lease_kind = NULL, lease_token = NULL, lease_since = NULL, lease_until = NULL
    WHERE space = sp AND key = id;
  ELSE
    DELETE FROM tenfold.cache WHERE space = sp AND key = id;
  END IF;
  PERFORM pg_notify(channel, message);
END $$;

-- kind t a tag, p a prefix, a all.
CREATE FUNCTION tenfold.cache_invalidate(sp text, wanted "char", named bytea, prefixes_max integer,
  channel text, message text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE now_at bigint;
BEGIN
  PERFORM tenfold.cache_space(sp);
  -- The row's lock makes invalidations of a space commit in the order of their numbers.
  UPDATE tenfold.cache_spaces SET n = n + 1 WHERE space = sp RETURNING n INTO now_at;
  IF wanted = 'a' THEN
    UPDATE tenfold.cache_spaces SET floor = now_at WHERE space = sp;
    DELETE FROM tenfold.cache_marks WHERE space = sp AND kind = 'p';
  ELSE
    INSERT INTO tenfold.cache_marks VALUES (sp, wanted, named, now_at)
    ON CONFLICT (space, kind, name) DO UPDATE SET at = EXCLUDED.at;
    IF wanted = 'p' AND (SELECT count(*) FROM tenfold.cache_marks WHERE space = sp AND kind = 'p') > prefixes_max THEN
      UPDATE tenfold.cache_spaces SET floor = now_at WHERE space = sp;
      DELETE FROM tenfold.cache_marks WHERE space = sp AND kind = 'p';
    END IF;
  END IF;
  PERFORM pg_notify(channel, message);
END $$;

-- One batch: what has ended; beyond the bound on rows also what ends soonest; tags' marks that a floor makes needless.
CREATE FUNCTION tenfold.cache_sweep(batch integer, rows_max float8, tags_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE swept integer; many text; cut timestamptz := clock_timestamp();
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('tenfold.cache_sweep')) THEN RETURN 0; END IF;
  IF pg_stat_get_live_tuples('tenfold.cache'::regclass) > rows_max THEN cut := 'infinity'; END IF;
  DELETE FROM tenfold.cache WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM tenfold.cache WHERE ends <= cut ORDER BY ends LIMIT batch FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS swept = ROW_COUNT;
  FOR many IN SELECT space FROM tenfold.cache_marks WHERE kind = 't' GROUP BY space HAVING count(*) > tags_max LOOP
    UPDATE tenfold.cache_spaces SET n = n + 1, tag_floor = n + 1 WHERE space = many;
  END LOOP;
  DELETE FROM tenfold.cache_marks m WHERE m.ctid = ANY (ARRAY(
    SELECT d.ctid FROM tenfold.cache_marks d JOIN tenfold.cache_spaces s USING (space)
    WHERE d.kind = 't' AND d.at <= greatest(s.floor, s.tag_floor) LIMIT batch));
  RETURN swept;
END $$;
`;

/** What the cache keeps in Postgres. */
export const CACHE_SCHEMA: PostgresSchema = {
  part: "cache",
  steps: [TABLES + FUNCTIONS],
  readableFrom: 1,
};
