"""Lua for Dramatiq's own layout on Redis, each script atomic and sent in one trip.

    <ns>:<queue>                    list of ids, the middle band
    <ns>:<queue>:b0 :b1 :b3 :b4     lists of ids, the other bands; 0 is served first
    <ns>:<queue>:bell               list with one element, if anything may wait
    <ns>:<queue>.msgs               hash: id -> message, of all bands
    <ns>:__acks__.<worker>.<queue>  set of ids this worker holds, of all bands
    <ns>:__heartbeats__             sorted set: worker -> last sign of life, in ms

An id begins with its band, "0-5f1c...": wherever it comes back from, it finds its
list. The ids of strangers do not; they wait in Dramatiq's own list, the middle band.
The bell is there because Redis can wait for one list only.

Dramatiq's own script returns messages without their ids, so that it cannot settle
what it cannot decode; and it takes the time from the workers' clocks.
"""

from core.backend import BANDS, MIDDLE_BAND

#: The suffix of each band in the key of its list.
ENDINGS = ["" if band == MIDDLE_BAND else f":b{band}" for band in range(BANDS)]

COMMON = f"""
local endings = {{{", ".join(f'"{ending}"' for ending in ENDINGS)}}}
local function lane(list, id)
    local band = tonumber(string.match(id, "^(%d)%-"))
    return list .. (band and endings[band + 1] or "")
end
local function ring(list)
    if redis.call("exists", list .. ":bell") == 0 then
        redis.call("rpush", list .. ":bell", "")
    end
end
-- A worker that was declared dead holds none of them.
local function acknowledge(msgs, acks, first)
    for i = first, #ARGV do
        if redis.call("srem", acks, ARGV[i]) > 0 then
            redis.call("hdel", msgs, ARGV[i])
        end
    end
end
"""

#: KEYS lists; ARGV number of the list, id, message, ...
PUBLISH = f"""{COMMON}
for i = 1, #ARGV, 3 do
    local list = KEYS[tonumber(ARGV[i])]
    redis.call("hset", list .. ".msgs", ARGV[i + 1], ARGV[i + 2])
    redis.call("rpush", lane(list, ARGV[i + 1]), ARGV[i + 1])
end
for _, list in ipairs(KEYS) do ring(list) end
"""

#: KEYS list, msgs, acks, heartbeats; ARGV worker, room, ids to acknowledge. Returns
#: id, message, ... What frees memory, LPOP at the least, comes first: a Redis out of
#: memory lets a script write on after it.
FETCH = f"""{COMMON}
acknowledge(KEYS[2], KEYS[3], 3)
local taken, waits = {{}}, false
for _, ending in ipairs(endings) do
    while #taken < 2 * ARGV[2] do
        local id = redis.call("lpop", KEYS[1] .. ending)
        if not id then break end
        redis.call("sadd", KEYS[3], id)
        taken[#taken + 1] = id
        taken[#taken + 1] = redis.call("hget", KEYS[2], id)
    end
    waits = waits or redis.call("exists", KEYS[1] .. ending) == 1
end
if not waits then redis.call("del", KEYS[1] .. ":bell") end
local now = redis.call("time")
redis.call("zadd", KEYS[4], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
return taken
"""

#: KEYS msgs, acks; ARGV ids.
ACK = f"{COMMON} acknowledge(KEYS[1], KEYS[2], 1)"


def _return(order: str, push: str) -> str:
    return f"""{COMMON}
for i = {order} do
    if redis.call("srem", KEYS[2], ARGV[i]) > 0 then
        redis.call("{push}", lane(KEYS[1], ARGV[i]), ARGV[i])
        ring(KEYS[1])
    end
end
"""


#: KEYS list, acks; ARGV ids. To the end: a delivery of it failed.
GIVE_BACK = _return("1, #ARGV", "rpush")

#: KEYS list, acks; ARGV ids, the oldest first. They have not begun: they are next.
PUT_BACK = _return("#ARGV, 1, -1", "lpush")

#: KEYS list, acks: return all ids of a dead worker.
RESCUE = f"""{COMMON}
local ids = redis.call("smembers", KEYS[2])
for _, id in ipairs(ids) do redis.call("rpush", lane(KEYS[1], id), id) end
if #ids > 0 then ring(KEYS[1]) end
redis.call("del", KEYS[2])
return #ids
"""

#: KEYS heartbeats; ARGV silence in ms. Returns the dead.
DEAD = """
local now = redis.call("time")
local limit = now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[1]
return redis.call("zrangebyscore", KEYS[1], "-inf", limit)
"""

#: KEYS list. Returns the number of ids in all bands.
DEPTH = f"""{COMMON}
local depth = 0
for _, ending in ipairs(endings) do
    depth = depth + redis.call("llen", KEYS[1] .. ending)
end
return depth
"""

#: KEYS list, msgs. Keeps ids that workers hold. Returns the number dropped.
PURGE = f"""{COMMON}
local dropped = 0
for _, ending in ipairs(endings) do
    local ids = redis.call("lrange", KEYS[1] .. ending, 0, -1)
    for _, id in ipairs(ids) do redis.call("hdel", KEYS[2], id) end
    redis.call("del", KEYS[1] .. ending)
    dropped = dropped + #ids
end
redis.call("del", KEYS[1] .. ":bell")
return dropped
"""
