/**
 * Leases, values and invalidations as scripts that Redis and Valkey run: each is one atomic step and one round trip.
 *
 * For a namespace N and a key K there are
 *   N:e:K  hash    v payload, s counter and e epoch before the load, g grace, l load time, t tags, x invalidated softly;
 *                  it expires at the end of the grace, so that what is left of its freshness is what is left less the grace
 *   N:l:K  string  the lease: kind (L load, W write, C contended), token, counter, epoch; it expires with the lease
 *   N:v    hash    e epoch, n counter, f floor, u floor of tagged entries, p prefixes as JSON, "t:" and a tag:
 *                  counter at its invalidation, r in a cluster: the id of the node that counts
 * When the server loses N:v (a restart, an eviction), a new epoch begins and every entry from before is invalid. So what
 * is lost is the cache, never an invalidation.
 *
 * In a cluster another node than the one that counted begins a new epoch too. A replica that was promoted may lack the last
 * invalidations, and leases that they voided may still be there: with the epoch all of them are void.
 */

/** Where scripts run: on a server of its own, or on the primary of a slot. */
export type ScriptPlace = "server" | "cluster";

const PLACES: Readonly<Record<ScriptPlace, string>> = {
  server: `
local here = nil
local function tell(channel, message) redis.call('PUBLISH', channel, message) end`,

  // Servers before 7 know no sharded channels: there a message goes to all nodes.
  cluster: `
local here = redis.call('CLUSTER', 'MYID')
local function tell(channel, message)
  local sent = redis.pcall('SPUBLISH', channel, message)
  if type(sent) == 'table' and sent.err then redis.call('PUBLISH', channel, message) end
end`,
};

const COMMON = `
local function versions(epoch)
  local m = redis.call('HMGET', KEYS[3], 'e', 'n', 'f', 'u', 'p', 'r')
  if not m[1] or (here and m[6] ~= here) then
    redis.call('DEL', KEYS[3])
    redis.call('HSET', KEYS[3], 'e', epoch, 'n', '0')
    if here then redis.call('HSET', KEYS[3], 'r', here) end
    return { e = epoch, n = 0, f = 0, u = 0 }
  end
  return { e = m[1], n = tonumber(m[2]), f = tonumber(m[3] or '0'), u = tonumber(m[4] or '0'), p = m[5] }
end
local function current(ver, key, epoch, since, tags)
  if epoch ~= ver.e or since < ver.f then return false end
  if since >= ver.n then return true end
  if tags ~= '' then
    if since < ver.u then return false end
    for tag in string.gmatch(tags, '[^%z]+') do
      local at = redis.call('HGET', KEYS[3], 't:' .. tag)
      if at and tonumber(at) > since then return false end
    end
  end
  if ver.p then
    for _, each in ipairs(cjson.decode(ver.p)) do
      if each[2] > since and string.sub(key, 1, #each[1]) == each[1] then return false end
    end
  end
  return true
end
local function store(since, epoch, payload, ttl, grace, load, tags)
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'v', payload, 's', since, 'e', epoch, 'g', grace, 'l', load, 't', tags)
  redis.call('PEXPIRE', KEYS[1], ttl + grace)
end
local function lease()
  local held = redis.call('GET', KEYS[2])
  if not held then return nil end
  local kind, token, since, epoch = string.match(held, '^(%a) (%S+) (%d+) (%S+)$')
  return { kind = kind, token = token, since = tonumber(since), epoch = epoch }
end
local function find(ver, key)
  local e = redis.call('HMGET', KEYS[1], 'v', 's', 'e', 'g', 'l', 't', 'x')
  if not e[1] then return nil end
  if not current(ver, key, e[3], tonumber(e[2]), e[6]) then
    redis.call('DEL', KEYS[1])
    return nil
  end
  local left = redis.call('PTTL', KEYS[1])
  local fresh = left - tonumber(e[4])
  if e[7] then fresh = math.min(fresh, 0) end
  return { fresh = fresh, left = left, v = e[1], l = e[5], t = e[6] }
end
local function filled(ver, key, token, payload, ttl, grace, load, tags)
  local held = lease()
  if not held or held.kind == 'C' or held.token ~= token then return 0 end
  redis.call('DEL', KEYS[2])
  if not current(ver, key, held.epoch, held.since, tags) then return 0 end
  store(held.since, held.epoch, payload, tonumber(ttl), tonumber(grace), load, tags)
  return 1
end
local ver = versions(ARGV[1])
`;

/** KEYS of all: entry, lease, versions. ARGV of all: a random epoch, then as the comment says. */
const STEPS: Readonly<Record<ScriptName, string>> = {
  /** key, token, lease ms, "1" to refresh -> [kind, fresh ms, left ms, load ms, tags, payload] or [kind] */
  lookup: `${COMMON}
local found = find(ver, ARGV[2])
local kind = 'hit'
if not found or found.fresh <= 0 or ARGV[5] == '1' then
  local mine = 'L ' .. ARGV[3] .. ' ' .. ver.n .. ' ' .. ver.e
  kind = redis.call('SET', KEYS[2], mine, 'PX', ARGV[4], 'NX') and 'won' or 'wait'
end
if not found then return { kind } end
return { kind, found.fresh, found.left, found.l, found.t, found.v }`,

  /** key -> as lookup, or nothing */
  peek: `${COMMON}
local found = find(ver, ARGV[2])
if not found then return {} end
return { 'hit', found.fresh, found.left, found.l, found.t, found.v }`,

  /** key, token, payload, ttl, grace, load, tags -> 1 when it was stored */
  fill: `${COMMON}
return filled(ver, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8])`,

  /** token, lease ms -> 1 */
  renew: `${COMMON}
local held = lease()
if held and held.token == ARGV[2] then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1`,

  /** token -> 1 */
  release: `${COMMON}
local held = lease()
if held and held.token == ARGV[2] then redis.call('DEL', KEYS[2]) end
return 1`,

  /** channel, message, payload, ttl, grace, load, tags -> 1 */
  put: `${COMMON}
redis.call('DEL', KEYS[2])
store(ver.n, ver.e, ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8])
tell(ARGV[2], ARGV[3])
return 1`,

  /** token, lease ms -> 1 */
  beginWrite: `${COMMON}
local held = lease()
local mine = 'W ' .. ARGV[2]
if held and held.kind ~= 'L' then mine = 'C -' end
redis.call('SET', KEYS[2], mine .. ' ' .. ver.n .. ' ' .. ver.e, 'PX', ARGV[3])
return 1`,

  /** key, channel, message, token, payload, ttl, grace, load, tags -> 1 when it was stored */
  endWrite: `${COMMON}
local done = filled(ver, ARGV[2], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10])
if done == 0 then redis.call('DEL', KEYS[1], KEYS[2]) end
tell(ARGV[3], ARGV[4])
return done`,

  /** channel, message, "1" when soft -> 1 */
  invalidateKey: `${COMMON}
redis.call('DEL', KEYS[2])
if ARGV[4] ~= '1' then redis.call('DEL', KEYS[1])
elseif redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'x', '1') end
tell(ARGV[2], ARGV[3])
return 1`,

  /** channel, message, tag, most tags -> 1 */
  invalidateTag: `${COMMON}
local now = redis.call('HINCRBY', KEYS[3], 'n', 1)
redis.call('HSET', KEYS[3], 't:' .. ARGV[4], now)
if redis.call('HLEN', KEYS[3]) > tonumber(ARGV[5]) then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'e', ver.e, 'n', now, 'f', ver.f, 'u', now)
  if ver.p then redis.call('HSET', KEYS[3], 'p', ver.p) end
  if here then redis.call('HSET', KEYS[3], 'r', here) end
end
tell(ARGV[2], ARGV[3])
return 1`,

  /** channel, message, prefix, most prefixes -> 1 */
  invalidatePrefix: `${COMMON}
local now = redis.call('HINCRBY', KEYS[3], 'n', 1)
local kept = { { ARGV[4], now } }
if ver.p then
  for _, each in ipairs(cjson.decode(ver.p)) do
    if each[1] ~= ARGV[4] then kept[#kept + 1] = each end
  end
end
if #kept > tonumber(ARGV[5]) then
  redis.call('HSET', KEYS[3], 'f', now)
  redis.call('HDEL', KEYS[3], 'p')
else
  redis.call('HSET', KEYS[3], 'p', cjson.encode(kept))
end
tell(ARGV[2], ARGV[3])
return 1`,

  /** channel, message -> 1 */
  invalidateAll: `${COMMON}
redis.call('HSET', KEYS[3], 'f', redis.call('HINCRBY', KEYS[3], 'n', 1))
redis.call('HDEL', KEYS[3], 'p')
tell(ARGV[2], ARGV[3])
return 1`,
};

/** The text of a script for its place. */
export function scriptFor(place: ScriptPlace, name: ScriptName): string {
  return PLACES[place] + STEPS[name];
}

/** Names of all scripts. */
export const SCRIPT_NAMES: readonly ScriptName[] = Object.keys(STEPS) as ScriptName[];

/** Name of a script. */
export type ScriptName =
  | "beginWrite"
  | "endWrite"
  | "fill"
  | "invalidateAll"
  | "invalidateKey"
  | "invalidatePrefix"
  | "invalidateTag"
  | "lookup"
  | "peek"
  | "put"
  | "release"
  | "renew";
