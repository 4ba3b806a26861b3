-- One question of one process to the budget that it shares, answered in one step: see `redis.py` beside this file.
--
-- KEYS  1 numbers, a hash   2 what is held, each until when   3 who asks, until when   4 who is known, since when
--       5 interactive calls, since when
-- ARGV  1 process  2 wanted  3 interactive  4 sent  5 unused  6 used  7 limit or ""  8 window
--       9 remaining or ""  10 resets in  11 paused for  12 a lease's life  13 under way   (all times in seconds)
-- Gives places, a lease's life, when to ask again, and how many processes there are.

local numbers, held, asking, known, urgent = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local me = ARGV[1]
local wanted, interactive = tonumber(ARGV[2]), tonumber(ARGV[3])
local sent, unused, used = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local limit, window = tonumber(ARGV[7]), tonumber(ARGV[8])
local remaining, resets_in, paused_for = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local life, under_way = tonumber(ARGV[12]), tonumber(ARGV[13])

-- The server's clock, since those of the processes differ.
local clock = redis.call("TIME")
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local function number(field)
  return tonumber(redis.call("HGET", numbers, field) or "0")
end

local function add(who, count)
  redis.call("HINCRBY", numbers, "held", count)
  if redis.call("HINCRBY", numbers, "held:" .. who, count) <= 0 then
    redis.call("HDEL", numbers, "held:" .. who)
  end
end

local function hold(who, count, seconds)
  if count > 0 then
    local entry = redis.call("HINCRBY", numbers, "entries", 1)
    redis.call("ZADD", held, now + seconds, string.format("%d:%d:%s", count, entry, who))
    add(who, count)
  end
end

local function set_lease(count)
  add(me, count - number("lease:" .. me))
  if count > 0 then
    -- It may be used in its last moment, by a process that dies before it says so: it is held as if it were.
    redis.call("ZADD", held, now + life + window, "lease:" .. me)
    redis.call("HSET", numbers, "lease:" .. me, count)
  else
    redis.call("ZREM", held, "lease:" .. me)
    redis.call("HDEL", numbers, "lease:" .. me)
  end
end

-- What is over.
for _, entry in ipairs(redis.call("ZRANGEBYSCORE", held, "-inf", now)) do
  local count, who = string.match(entry, "^(%d+):%d+:(.*)$")
  if not count then
    who = string.sub(entry, 7)
    count = number("lease:" .. who)
    redis.call("HDEL", numbers, "lease:" .. who)
  end
  add(who, -tonumber(count))
  redis.call("ZREM", held, entry)
end
for _, who in ipairs(redis.call("ZRANGEBYSCORE", asking, "-inf", now)) do
  redis.call("HDEL", numbers, "first:" .. who, "wants:" .. who)
  redis.call("ZREM", asking, who)
end
redis.call("ZREMRANGEBYSCORE", known, "-inf", now - 2 * window)
redis.call("ZREMRANGEBYSCORE", urgent, "-inf", now - 2 * window)

-- What the process has done. One that wants places has none left but those of calls under way: they stay leased, since
-- the service may count such a call at any moment, and a window begins only then.
set_lease(math.max(under_way, wanted > 0 and 0 or number("lease:" .. me) - sent - unused))
-- If it has done something, and is not known, this server has lost its memory.
hold(me, redis.call("ZSCORE", known, me) and sent or math.max(sent, used - under_way), window)
redis.call("ZADD", known, now, me)

-- What the service said: of the limit, of what is left, and that it has turned the key away.
if limit then
  if now >= number("limit_until") or limit <= number("limit") then
    redis.call("HSET", numbers, "limit", limit, "limit_until", now + window)
  end
end
if remaining and resets_in > 0 then
  if number("limit") == 0 then
    redis.call("HSET", numbers, "limit", number("held") + remaining, "limit_until", now + resets_in)
  end
  -- Less is left than is free here: somebody else spends from the same key.
  hold("others", number("limit") - number("held") - remaining, resets_in)
end
if paused_for > 0 then
  redis.call("HSET", numbers, "pause", math.max(number("pause"), now + paused_for))
end
limit = number("limit")

-- What it gets.
local places, again = 0, 0
local others = redis.call("ZRANGE", asking, 0, -1)
if wanted > 0 then
  local most = limit > 0 and math.max(1, math.ceil(limit / 50)) or 1
  local free = limit > 0 and limit - number("held") or most
  -- Each may have its part of the limit; what is beyond goes to whoever asks, once nobody below his part waits.
  local active = redis.call("ZSCORE", asking, me) and #others or #others + 1
  local part = limit > 0 and math.ceil(limit / active) or most
  local theirs_first, theirs = 0, 0
  for _, who in ipairs(others) do
    if who ~= me then
      local room = math.max(0, part - number("held:" .. who))
      local first = math.min(room, number("first:" .. who))
      theirs_first = theirs_first + first
      -- Who has bulk calls waiting has more behind them, as a rule.
      theirs = theirs + (number("wants:" .. who) > 0 and room - first or 0)
    end
  end
  local first = math.min(interactive, wanted)
  local room = math.max(0, part - number("held:" .. me))
  if now >= number("pause") and free > 0 then
    local now_first = math.min(first, free, math.max(room, free - theirs_first))
    -- Of bulk, what interactive calls will want is kept back: a little more than in the last window.
    local lately = redis.call("ZCOUNT", urgent, now - window, "+inf")
    local before = math.ceil(1.5 * redis.call("ZCOUNT", urgent, "-inf", now - window))
    local kept = math.max(0, math.min(before, limit / 4) - lately)
    local rest = math.floor(free - now_first - theirs_first - kept)
    local bulk = math.min(wanted - first, rest, math.max(room - now_first, rest - theirs))
    places = math.max(0, math.min(most, now_first + math.max(0, bulk)))
    for _ = 1, math.min(places, now_first) do
      redis.call("ZADD", urgent, now, redis.call("HINCRBY", numbers, "entries", 1))
    end
  end
  if places > 0 then
    set_lease(under_way + places)
  else
    local step = math.min(0.5, window / 100)
    local soonest = redis.call("ZRANGE", held, 0, 0, "WITHSCORES")[2]
    again = free > 0 and step or math.min(step, soonest and tonumber(soonest) - now or step)
    again = math.max(again, number("pause") - now)
  end
  redis.call("HSET", numbers, "first:" .. me, math.max(0, first - places), "wants:" .. me, math.max(0, wanted - places))
  redis.call("ZADD", asking, now + again + 2 * life, me)
end

local forget = math.ceil(2 * window + resets_in + paused_for + 60)
for _, key in ipairs(KEYS) do
  redis.call("EXPIRE", key, forget)
end
-- Whoever counts alone may not know who has died, nor who is at work and asks for nothing right now.
local processes = redis.call("ZCOUNT", known, now - window, "+inf")
return {places, tostring(life), tostring(again), processes}
