"""Lua for Dramatiq's own layout on Redis, each script atomic and sent in one trip.

    <ns>:<queue>                    list of ids
    <ns>:<queue>.msgs               hash: id -> message
    <ns>:__acks__.<worker>.<queue>  set of ids this worker holds
    <ns>:__heartbeats__             sorted set: worker -> last sign of life, in ms

Dramatiq's own script returns messages without their ids, so that it cannot settle
what it cannot decode; and it takes the time from the workers' clocks.
"""

#: KEYS lists; ARGV number of the list, id, message, ...
PUBLISH = """
for i = 1, #ARGV, 3 do
    local list = KEYS[tonumber(ARGV[i])]
    redis.call("hset", list .. ".msgs", ARGV[i + 1], ARGV[i + 2])
    redis.call("rpush", list, ARGV[i + 1])
end
"""

#: KEYS list, msgs, acks, heartbeats; ARGV worker, room. Returns id, message, ...
#: LPOP comes first: a Redis out of memory lets a script write on after it.
FETCH = """
local taken = {}
for i = 1, tonumber(ARGV[2]) do
    local id = redis.call("lpop", KEYS[1])
    if not id then break end
    redis.call("sadd", KEYS[3], id)
    taken[#taken + 1] = id
    taken[#taken + 1] = redis.call("hget", KEYS[2], id)
end
local now = redis.call("time")
redis.call("zadd", KEYS[4], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
return taken
"""

#: KEYS msgs, acks; ARGV ids. Someone who was thought dead holds nothing any more.
ACK = """
for _, id in ipairs(ARGV) do
    if redis.call("srem", KEYS[2], id) > 0 then
        redis.call("hdel", KEYS[1], id)
    end
end
"""

#: KEYS list, acks; ARGV ids.
GIVE_BACK = """
for _, id in ipairs(ARGV) do
    if redis.call("srem", KEYS[2], id) > 0 then
        redis.call("rpush", KEYS[1], id)
    end
end
"""

#: KEYS list, acks: give back all of a dead worker's ids.
RESCUE = """
local ids = redis.call("smembers", KEYS[2])
for _, id in ipairs(ids) do redis.call("rpush", KEYS[1], id) end
redis.call("del", KEYS[2])
return #ids
"""

#: KEYS heartbeats; ARGV silence in ms. Returns the dead.
DEAD = """
local now = redis.call("time")
local limit = now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[1]
return redis.call("zrangebyscore", KEYS[1], "-inf", limit)
"""

#: KEYS list, msgs. Leaves alone what workers hold. Returns how many were dropped.
PURGE = """
local ids = redis.call("lrange", KEYS[1], 0, -1)
for _, id in ipairs(ids) do redis.call("hdel", KEYS[2], id) end
redis.call("del", KEYS[1])
return #ids
"""
