/**
 * What Redis runs. A limit key has a hash, with the state of its quotas, and a sorted set of the processes that use it. Both
 * are in one slot of a cluster and have a time to live. Times are microseconds of Redis' own clock.
 */
import { makeScript, type Script } from "../connection/Script.js"

/**
 * Reserves times for requests: a generic cell rate algorithm for each quota. A request may go at `tat`, the theoretical
 * arrival time of its quota, which moves on by what the request costs.
 *
 * `T` is the time that one unit takes: `(window + tolerance) / (limit + 1 - largest - burst)`. Requests that go at most
 * `tolerance` late then never exceed the limit in any window, wherever it begins: all but the last of a window fit between
 * its ends, and the last costs at most `largest`. A request that costs more than any before it goes later by the difference.
 */
const reserve = `
local asked = cjson.decode(ARGV[1])
local hash, members = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(number) return string.format('%.2f', number) end

local state, changed = {}, {}
local fields = redis.call('HGETALL', hash)
for i = 1, #fields, 2 do state[fields[i]] = fields[i + 1] end
local function get(name, otherwise)
  local number = tonumber(state[name])
  return number and math.abs(number) < 1e17 and number or otherwise
end
local function set(name, value)
  state[name] = value
  changed[name] = value
end
-- What else may be in the field of a report is none.
local function reportOf(value)
  local isRead, report = pcall(cjson.decode, value)
  if not isRead or type(report) ~= 'table' then return nil end
  for i = 1, 4 do if type(report[i]) ~= 'number' then return nil end end
  return report
end

-- After a failover the clock may be another one: the times of before mean nothing then.
local second = 1000000
if get('at', 0) > now + second then
  redis.call('DEL', hash, members)
  state = {}
end
set('at', text(now))

-- Who takes part, and who asks at the moment. One that asks for its turn at a slow limit takes part until then.
local turn = 0
for i, quota in ipairs(asked.quotas) do
  local cost = asked.costs[1] and asked.costs[1][i] or 1
  turn = math.max(turn, math.min(1, cost / quota[2]) * quota[3])
end
local leaves = math.max(asked.memberFor, 3 * turn * redis.call('ZCARD', members))
if #asked.costs > 0 then redis.call('ZREMRANGEBYSCORE', members, '-inf', text(now - leaves)) end

-- A Redis that has lost its memory: what was reserved before may still be used, by each process that was there.
local floor = 0
if state.born == nil then set('born', text(now)) end
local reserved = math.max(asked.horizon, asked.members * turn)
if asked.born > 0 and asked.born ~= get('born', 0) and asked.ahead > -reserved then
  floor = now + math.max(reserved, asked.ahead)
end
-- Processes were without Redis, and not all of them are back: the others use their part without it.
if (asked.away > 0 and get('lost', 0) < now - asked.away) or get('born', 0) == now then
  set('lost', text(now))
  set('fleet', '1')
end
-- One that comes back has just used its part: it counts from its next question on.
redis.call('ZADD', members, text(asked.away > 0 and get('lost', 0) - 1 or now), asked.me)
local known = redis.call('ZCARD', members)
local slower = 1
if now - get('lost', 0) < asked.grace then
  if asked.fleet > get('fleet', 1) then set('fleet', text(asked.fleet)) end
  local back = redis.call('ZCOUNT', members, text(get('lost', 0)), '+inf')
  slower = math.max(1, get('fleet', 1) / math.max(1, back))
end

local gate = get('gate', 0)
floor = math.max(floor, gate)

-- The quotas.
local quotas, slowest = {}, 0
for i, quota in ipairs(asked.quotas) do
  local unit, limit, window, tolerance, burst = unpack(quota)
  local largest, before, since = get('largest:' .. unit, 0), get('before:' .. unit, 0), get('since:' .. unit, now)
  if now - since > 2 * window then
    before = now - since > 4 * window and 0 or largest
    largest, since = 0, now
  end
  local covered = math.max(1, largest, before)
  local most = math.max(1, limit / 2 - burst)
  local first = 0
  for j, costs in ipairs(asked.costs) do
    if j == 1 then first = math.min(costs[i], limit) end
    largest = math.max(largest, math.min(costs[i], most))
  end
  local room = limit + 1 - math.max(covered, largest) - burst
  local longest = window + tolerance
  local each = math.min(longest, longest / room) * slower
  -- No request can be reserved later than that, and whatever was used, a whole window ends it.
  local tat = math.min(get('tat:' .. unit, 0), now + asked.horizon + (math.max(known, get('fleet', 1)) + 1) * longest)
  local used = (asked.corrections[unit] or 0) * each
  tat = used > 0 and math.max(tat, math.min(math.max(tat, now) + used, now + asked.horizon + longest)) or tat + used
  if asked.release and asked.release.grant == get('grant', 0) then
    tat = tat - (asked.release.costs[i] or 0) * each
  end
  quotas[i] = {
    unit = unit, limit = limit, each = each, longest = longest * slower + burst * each, covered = covered, most = most,
    rest = burst * each, tat = math.max(tat, floor)
  }
  slowest = math.max(slowest, math.min(first * each, longest * slower))
  set('largest:' .. unit, text(largest))
  set('before:' .. unit, text(before))
  set('since:' .. unit, text(since))
end

-- What the responses have reported. So much is left until the reset; after it, a refill of the limit from then on, which a
-- report replaces.
local reported = {}
for _, seen in ipairs(asked.observed) do
  local name, limit, left, resets = unpack(seen)
  local old = reportOf(state['left:' .. name])
  local reset, from, isKept = now + resets, 0, false
  if old and old[3] > now and reset <= old[3] + second then
    left, reset = math.min(left, old[2]), math.max(reset, old[3])
  elseif old and old[3] == 0 and old[4] > now and reset <= old[4] + second then
    isKept = true
  elseif old and old[3] == 0 and now < old[4] + second then
    left = math.min(left, old[2])
  end
  if not isKept then set('left:' .. name, cjson.encode({ limit, left, reset, from })) end
end
for unit, i in pairs(asked.units) do
  local prefix = 'left:' .. unit .. '/'
  for name, value in pairs(state) do
    local report = string.sub(name, 1, #prefix) == prefix and reportOf(value)
    if report then
      local limit, left, reset, from = unpack(report)
      if reset > 0 and reset <= now then left, reset, from = limit, 0, reset end
      if (reset > now and reset - now <= asked.most) or now < from + second then
        table.insert(reported, { name = name, index = i, limit = limit, left = left, reset = reset, from = from })
      end
    end
  end
end

local live = redis.call('ZCOUNT', members, text(now - math.max(2 * second, 3 * slowest * known)), '+inf')
local horizon = math.max(asked.horizon, live * slowest)
local share = slowest == 0 and asked.count or math.ceil(horizon / slowest / live)
local count = math.min(asked.count, share)
local times, wait, start = {}, 0, math.max(floor, now - second)
if gate > now then
  wait = gate - now
else
  for i = 1, count do
    local costs = asked.costs[i] or asked.costs[#asked.costs]
    local at = start
    for j, quota in ipairs(quotas) do
      local cost = math.min(costs[j], quota.limit)
      -- What costs nothing waits for nobody, and nobody for it.
      if cost > 0 then
        at = math.max(at, now - quota.rest, quota.tat + math.max(0, cost - quota.covered) * quota.each)
      end
    end
    for _, left in ipairs(reported) do
      at = math.max(at, left.from)
      if left.left < math.min(costs[left.index], left.limit) or left.left <= 0 then
        at = math.max(at, left.reset > 0 and left.reset or now + horizon + second)
      end
    end
    if at > now + horizon then
      wait = at - now - horizon + math.floor(share / 2) * slowest
      wait = math.min(wait, at - now)
      break
    end
    for j, quota in ipairs(quotas) do
      local cost = math.min(costs[j], quota.limit)
      if cost > 0 then
        quota.tat = math.max(quota.tat, math.max(at, now) - quota.rest) + math.min(cost * quota.each, quota.longest)
        quota.covered = math.max(quota.covered, math.min(cost, quota.most))
      end
    end
    for _, left in ipairs(reported) do
      if left.reset > 0 and at >= left.reset then
        left.left, left.reset, left.from = left.limit, 0, left.reset
      end
      left.left = left.left - math.min(costs[left.index], left.limit)
    end
    start = at
    times[i] = math.max(0, math.floor(at - now))
  end
end

local lasts, ahead = math.max(0, gate - now), 0
for _, quota in ipairs(quotas) do
  set('tat:' .. quota.unit, text(quota.tat))
  lasts = math.max(lasts, quota.tat - now + 2 * quota.longest)
  ahead = math.max(ahead, math.ceil(quota.tat - now))
end
for _, left in ipairs(reported) do
  set(left.name, cjson.encode({ left.limit, left.left, left.reset, left.from }))
  lasts = math.max(lasts, left.reset - now, left.from - now)
end
if #times > 0 then set('grant', text(get('grant', 0) + 1)) end

local written = {}
for name, value in pairs(changed) do
  table.insert(written, name)
  table.insert(written, value)
end
if #written > 0 then redis.call('HSET', hash, unpack(written)) end
local ttl = string.format('%.0f', math.ceil(lasts / 1000) + 60000)
redis.call('PEXPIRE', hash, ttl)
redis.call('PEXPIRE', members, ttl)

return {
  #times, math.ceil(wait), known, get('epoch', 0), get('grant', 0), math.max(0, math.ceil(gate - now)),
  text(now), text(get('born', 0)), ahead, unpack(times)
}
`

/**
 * Closes the gate of a key for so many microseconds, and sends that to the other processes. It opens by time. A wait that is longer
 * already stays.
 */
const close = `
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local opens = now + ARGV[1]
local gate = math.max(tonumber(redis.call('HGET', KEYS[1], 'gate')) or 0, opens)
redis.call('HSET', KEYS[1], 'gate', string.format('%.0f', gate))
redis.call('HSETNX', KEYS[1], 'born', string.format('%.0f', now))
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local ttl = math.max(redis.call('PTTL', KEYS[1]), math.ceil((gate - now) / 1000) + 60000)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ttl))
return redis.call('PUBLISH', ARGV[2], ARGV[3])
`

/**
 * The script of all that is asked: with one argument it reserves, with three it closes. So a process that has asked for times
 * closes a gate in one round trip: Redis knows the script.
 */
export const limits: Script = /*#__PURE__*/ makeScript(`if #ARGV == 3 then${close}end${reserve}`)
