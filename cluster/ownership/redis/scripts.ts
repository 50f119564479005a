// What runs inside Redis: one script per decision, so that each is one step there. All keys of a cluster share a hash tag, hence one slot of
// a Redis Cluster. Values are plain text that begins with what the scripts compare: they parse no JSON. What stands in a key that is
// no value of ours counts as nothing, or as older.

/** KEYS terms; ARGV shard, at least. Answers with the next term. The one script that hands out terms. */
const NEXT_TERM = `
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') or 0
local term = string.format('%.0f', math.max(known, tonumber(ARGV[2])) + 1)
redis.call('HSET', KEYS[1], ARGV[1], term)
return term`;

/** KEYS lease of the name, lease of the directory; ARGV session id, value, ttl. Answers with nothing, or with who has it and for how long. */
const HOLD_SESSION = `
for i = 1, 2 do
  local held = redis.call('GET', KEYS[i])
  if held and string.sub(held, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then return {held, redis.call('PTTL', KEYS[i])} end
end
for i = 1, 2 do redis.call('SET', KEYS[i], ARGV[2], 'PX', ARGV[3]) end
return {}`;

/** KEYS as above; ARGV session id. */
const END_SESSION = `
for i = 1, 2 do
  local held = redis.call('GET', KEYS[i])
  if held and string.sub(held, 1, #ARGV[1] + 1) == ARGV[1] .. ' ' then redis.call('DEL', KEYS[i]) end
end
return 'OK'`;

/** KEYS leaders; ARGV shard, term, directory, and so on. A term equal to the known one overwrites: it is the same leader. */
const PUBLISH_LEADERS = `
for i = 1, #ARGV, 3 do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  local known = held and tonumber(string.match(held, '^%d+') or '0') or 0
  if known <= tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2]) end
end
return 'OK'`;

/** KEYS peers; ARGV name, value, ms peers are kept. Times are Redis's own, so that nodes' clocks do not matter. */
const ANNOUNCE = `
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', nowMs) .. ' ' .. ARGV[2])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if nowMs - tonumber(string.match(all[i + 1], '^%d+') or '0') > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
end
return 'OK'`;

/** KEYS plan; ARGV version, body. Answers with the plan that stands. */
const PUBLISH_PLAN = `
local held = redis.call('GET', KEYS[1])
if held and tonumber(string.match(held, '^%d+') or '0') >= tonumber(ARGV[1]) then return held end
local value = ARGV[1] .. ' ' .. ARGV[2]
redis.call('SET', KEYS[1], value)
return value`;

/**
 * KEYS cluster; ARGV created at, value, 'create' or 'restore'. Answers with the record that stands. Garbage is replaced by who has data, not
 * by who has none.
 */
const PUT_CLUSTER = `
local held = redis.call('GET', KEYS[1])
local known = held and tonumber(string.match(held, '^%d+') or '')
if held and (ARGV[3] == 'create' or (known and known <= tonumber(ARGV[1]))) then return held end
local value = ARGV[1] .. ' ' .. ARGV[2]
redis.call('SET', KEYS[1], value)
return value`;

export const SCRIPTS = {
  tenutoNextTerm: { lua: NEXT_TERM, numberOfKeys: 1 },
  tenutoHoldSession: { lua: HOLD_SESSION, numberOfKeys: 2 },
  tenutoEndSession: { lua: END_SESSION, numberOfKeys: 2 },
  tenutoPublishLeaders: { lua: PUBLISH_LEADERS, numberOfKeys: 1 },
  tenutoAnnounce: { lua: ANNOUNCE, numberOfKeys: 1 },
  tenutoPublishPlan: { lua: PUBLISH_PLAN, numberOfKeys: 1 },
  tenutoPutCluster: { lua: PUT_CLUSTER, numberOfKeys: 1 },
} as const;

export type ScriptName = keyof typeof SCRIPTS;

export const keysOf = (clusterId: string) => {
  const key = (name: string): string => `tenuto:{${clusterId}}:${name}`;
  return {
    cluster: key('cluster'),
    terms: key('terms'),
    leaders: key('leaders'),
    peers: key('peers'),
    plan: key('plan'),
    leaseOfNode: (name: string): string => key(`session:node:${name}`),
    leaseOfDirectory: (directoryId: string): string => key(`session:directory:${directoryId}`),
  };
};
