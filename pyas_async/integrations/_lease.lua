-- Process one report of one process that shares the budget, in one atomic step: see `redis.py` beside this file.
--
-- KEYS  1 numbers, a hash   2 held slots, by the end of their hold   3 processes that ask, by when they are forgotten
--       4 known processes, by their last report   5 interactive calls, by their time
--       6 the history of these data, a hash   7 processes that have come back after the data were lost
-- ARGV  1 process  2 wanted  3 interactive  4 sent  5 unused  6 used  7 limit or ""  8 window
--       9 remaining or ""  10 resets in  11 paused for  12 a lease's life  13 in flight   14 when this server
--       last answered the process, or 0   15 how long a process may count alone, and its return take
--       (all times in seconds)
-- Returns leased slots, the lease's life, when to ask again, the number of processes, and the time; or for how long the
-- process must count alone, since the data were lost.

local numbers, held, asking, known, urgent, history, back = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local this = ARGV[1]
local wanted, interactive = tonumber(ARGV[2]), tonumber(ARGV[3])
local sent, unused, used = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local limit, window = tonumber(ARGV[7]), tonumber(ARGV[8])
local remaining, resets_in, paused_for = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local life, under_way = tonumber(ARGV[12]), tonumber(ARGV[13])
local answered, alone = tonumber(ARGV[14]), tonumber(ARGV[15])

-- The server's clock, since the clocks of the processes differ.
local clock = redis.call("TIME")
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local function number(field)
  return tonumber(redis.call("HGET", numbers, field) or "0")
end

local function add(process, count)
  redis.call("HINCRBY", numbers, "held", count)
  if redis.call("HINCRBY", numbers, "held:" .. process, count) <= 0 then
    redis.call("HDEL", numbers, "held:" .. process)
  end
end

local function hold(process, count, seconds)
  if count > 0 then
    local entry = redis.call("HINCRBY", numbers, "entries", 1)
    redis.call("ZADD", held, now + seconds, string.format("%d:%d:%s", count, entry, process))
    add(process, count)
  end
end

local function set_lease(count)
  add(this, count - number("lease:" .. this))
  if count > 0 then
    -- A process may use a slot in the lease's last moment and be killed before it reports it, so it is held that long.
    redis.call("ZADD", held, now + life + window, "lease:" .. this)
    redis.call("HSET", numbers, "lease:" .. this, count)
  else
    redis.call("ZREM", held, "lease:" .. this)
    redis.call("HDEL", numbers, "lease:" .. this)
  end
end

-- Find out whether data were lost. A server without a history is new, or has lost everything; a process that was answered
-- before that knows which. A server that was restored from older data has forgotten its last answers to some processes.
-- What was spent before is in no data then. So for a window, processes that were answered before count alone: each spends
-- no more than it had spent, and no more than its part. Processes that are new get nothing until all these are back.
local forgotten = tonumber(redis.call("ZSCORE", known, this) or "0") < answered - 0.00001
local born = tonumber(redis.call("HGET", history, "born") or "-1")
if born < 0 or (forgotten and answered >= born and now - answered < 2 * window) then
  local lost_until = born < 0 and 0 or now + window + life
  born = now
  redis.call("HSET", history, "born", string.format("%.6f", born), "lost_until", lost_until)
  redis.call("DEL", back)
end
local before = answered > 0 and answered < born
local lost_until = tonumber(redis.call("HGET", history, "lost_until"))
if before and lost_until == 0 then
  lost_until = born + window + life
  redis.call("HSET", history, "lost_until", lost_until)
end
-- Months: an ordinary pause must not look like a loss.
redis.call("EXPIRE", history, 90 * 86400)
if before and now < lost_until then
  return {"lost", tostring(lost_until - now)}
end
if before then
  redis.call("SADD", back, this)
end
-- A new server first waits for processes that know better. It may lease nothing either while leases may be used that it
-- does not know, or to a process that does not know what its part is.
local new = redis.call("SISMEMBER", back, this) == 0
local closed = now < born + life or (new and now < lost_until + alone)

-- Release what has expired: held slots, requests of processes, and old entries.
for _, entry in ipairs(redis.call("ZRANGEBYSCORE", held, "-inf", now)) do
  local count, process = string.match(entry, "^(%d+):%d+:(.*)$")
  if not count then
    process = string.sub(entry, 7)
    count = number("lease:" .. process)
    redis.call("HDEL", numbers, "lease:" .. process)
  end
  add(process, -tonumber(count))
  redis.call("ZREM", held, entry)
end
for _, process in ipairs(redis.call("ZRANGEBYSCORE", asking, "-inf", now)) do
  redis.call("HDEL", numbers, "first:" .. process, "wants:" .. process)
  redis.call("ZREM", asking, process)
end
redis.call("ZREMRANGEBYSCORE", known, "-inf", now - 2 * window)
redis.call("ZREMRANGEBYSCORE", urgent, "-inf", now - 2 * window)

-- Settle what the process reports. If it wants slots, it has none left except those of running calls. These stay leased:
-- the service may count such a call at any moment, and its window begins only then.
set_lease(math.max(under_way, wanted > 0 and 0 or number("lease:" .. this) - sent - unused))
if forgotten or before or not redis.call("ZSCORE", known, this) then
  -- Count what the process has used and these data do not have.
  sent = math.max(0, used - under_way - (number("held:" .. this) - number("lease:" .. this)))
end
hold(this, sent, window)
redis.call("ZADD", known, string.format("%.6f", now), this)

-- Apply what the service told the process: the limit, what remains of it, and a pause after a 429.
if limit then
  if now >= number("limit_until") or limit <= number("limit") then
    redis.call("HSET", numbers, "limit", limit, "limit_until", now + window)
  end
end
if remaining and resets_in > 0 then
  if number("limit") == 0 then
    redis.call("HSET", numbers, "limit", number("held") + remaining, "limit_until", now + resets_in)
  end
  -- Less remains than is free here: another program spends from the same key.
  hold("others", number("limit") - number("held") - remaining, resets_in)
end
if paused_for > 0 then
  redis.call("HSET", numbers, "pause", math.max(number("pause"), now + paused_for))
end
limit = number("limit")

-- Lease slots.
local slots, again = 0, 0
local others = redis.call("ZRANGE", asking, 0, -1)
if wanted > 0 then
  local most = limit > 0 and math.max(1, math.ceil(limit / 50)) or 1
  local free = limit > 0 and limit - number("held") or most
  -- Each process may have its part of the limit. The rest goes to any process, if no process below its part waits.
  local active = redis.call("ZSCORE", asking, this) and #others or #others + 1
  local part = limit > 0 and math.ceil(limit / active) or most
  local others_interactive, others_bulk = 0, 0
  for _, process in ipairs(others) do
    if process ~= this then
      local headroom = math.max(0, part - number("held:" .. process))
      local first = math.min(headroom, number("first:" .. process))
      others_interactive = others_interactive + first
      -- A process with waiting bulk calls usually has more of them behind these, so it may use its whole part.
      others_bulk = others_bulk + (number("wants:" .. process) > 0 and headroom - first or 0)
    end
  end
  local first = math.min(interactive, wanted)
  local headroom = math.max(0, part - number("held:" .. this))
  if now >= number("pause") and free > 0 and not closed then
    local interactive_slots = math.min(first, free, math.max(headroom, free - others_interactive))
    -- Keep slots back from bulk calls for the expected interactive calls: a little more than in the last window.
    local recent = redis.call("ZCOUNT", urgent, now - window, "+inf")
    local expected = math.ceil(1.5 * redis.call("ZCOUNT", urgent, "-inf", now - window))
    local reserved = math.max(0, math.min(expected, limit / 4) - recent)
    local rest = math.floor(free - interactive_slots - others_interactive - reserved)
    local bulk = math.min(wanted - first, rest, math.max(headroom - interactive_slots, rest - others_bulk))
    slots = math.max(0, math.min(most, interactive_slots + math.max(0, bulk)))
    for _ = 1, math.min(slots, interactive_slots) do
      redis.call("ZADD", urgent, now, redis.call("HINCRBY", numbers, "entries", 1))
    end
  end
  if slots > 0 then
    set_lease(under_way + slots)
  else
    local step = math.min(0.5, window / 100)
    local soonest = redis.call("ZRANGE", held, 0, 0, "WITHSCORES")[2]
    again = free > 0 and step or math.min(step, soonest and tonumber(soonest) - now or step)
    again = math.max(again, number("pause") - now)
  end
  redis.call("HSET", numbers, "first:" .. this, math.max(0, first - slots), "wants:" .. this, math.max(0, wanted - slots))
  redis.call("ZADD", asking, now + again + 2 * life, this)
end

local expiry = math.ceil(2 * window + resets_in + paused_for + 60)
for _, key in ipairs(KEYS) do
  if key ~= history then
    redis.call("EXPIRE", key, expiry)
  end
end
-- Used by a process that counts alone: it cannot know which processes have ended, or which work without asking now.
local processes = redis.call("ZCOUNT", known, now - window, "+inf")
return {slots, tostring(life), tostring(again), processes, string.format("%.6f", now)}
