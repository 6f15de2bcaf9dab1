"""The state store's keys in Redis, and the Lua scripts that change them, each of which the server runs atomically.

All keys begin with `footnote:{WORKSPACE}:state:`, whose braces keep them on one node of a cluster:

    standing  event -> its number until it is finished, `done` or `discarded` afterwards (hash)
    event     unfinished event -> its JSON (hash)
    claim     event that was ever claimed -> attempt and worker of the latest claim (hash)
    notes     event -> notes for a later attempt (hash)
    count     `events` -> the number given last (hash)
    turns     one member for each unfinished event: digest of its turn, number, name (sorted set, by bytes)
    ready     events that may be claimed, by number (sorted set)
    leased    events that are claimed, by the microsecond when the lease ends (sorted set)
    finished  finished events, by the microsecond when they were finished (sorted set)
    value     key -> the microsecond when it expires, 0 for never, and the value (hash)
    keys      all keys of values (sorted set, by bytes)
    expiring  keys of values that expire, by the microsecond (sorted set)

An event is named by its platform and id. A script that is stopped in the middle (the user lacks a right, the server
has no memory) leaves a state that the next call completes: what makes an event known, or finished, is written last.
"""

EVENT_KEYS = ("standing", "event", "claim", "notes", "count", "turns", "ready", "leased", "finished")
VALUE_KEYS = ("value", "keys", "expiring")

_KEYS = "local standing, event, claim, notes, count, turns, ready, leased, finished = unpack(KEYS)\n"

# Returns name and number of the first unfinished event of a turn; members of finished events are removed on the way.
_FIRST = """
local function first(turn)
    while true do
        local place = redis.call('ZRANGE', turns, '[' .. turn, '(' .. turn .. '~', 'BYLEX', 'LIMIT', 0, 1)[1]
        if not place then return nil end
        local number, name = tonumber(place:sub(41, 58)), place:sub(59)
        if redis.call('HGET', standing, name) == tostring(number) then return name, number end
        redis.call('ZREM', turns, place)
    end
end
"""

# Ends an unfinished event with this number and makes the next of its turn ready; `how` is what stands of it then.
_END = """
local function finish(name, number, turn, now, how)
    redis.call('ZREM', turns, turn .. string.format('%018d', number) .. name)
    local next, its_number = first(turn)
    if next then redis.call('ZADD', ready, its_number, next) end
    redis.call('ZADD', finished, now, name)
    redis.call('ZREM', ready, name)
    redis.call('ZREM', leased, name)
    redis.call('HDEL', notes, name)
    redis.call('HDEL', event, name)
    redis.call('HSET', standing, name, how)
end
"""

# Returns 1 for a new event, 0 for a known one, -1 when too many are not finished.
ACCEPT = (
    _KEYS
    + _FIRST
    + """
local name, json, turn, limit = unpack(ARGV)
if redis.call('HGET', standing, name) then return 0 end
if limit ~= '' and redis.call('ZCARD', turns) >= tonumber(limit) then return -1 end
local is_first = not first(turn)
local number = redis.call('HINCRBY', count, 'events', 1)
redis.call('HSET', event, name, json)
redis.call('ZADD', turns, 0, turn .. string.format('%018d', number) .. name)
if is_first then redis.call('ZADD', ready, number, name) end
redis.call('HSET', standing, name, tostring(number))
return 1
"""
)

# Makes events ready whose lease has ended, deletes some that were finished long ago, and claims the first ready one.
CLAIM = (
    _KEYS
    + """
local worker, now, til, gone, limit = unpack(ARGV)
for _, name in ipairs(redis.call('ZRANGE', leased, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
    local number = tonumber(redis.call('HGET', standing, name) or '')
    if number then redis.call('ZADD', ready, number, name) end
    redis.call('ZREM', leased, name)
end
for _, name in ipairs(redis.call('ZRANGE', finished, '-inf', gone, 'BYSCORE', 'LIMIT', 0, limit)) do
    redis.call('HDEL', claim, name)
    redis.call('HDEL', standing, name)
    redis.call('ZREM', finished, name)
end
while true do
    local name = redis.call('ZRANGE', ready, 0, 0)[1]
    if not name then return nil end
    if tonumber(redis.call('HGET', standing, name) or '') then
        local before = redis.call('HGET', claim, name) or '0 '
        local attempt = tonumber(before:match('^%d+')) + 1
        redis.call('ZADD', leased, til, name)
        redis.call('HSET', claim, name, string.format('%d', attempt) .. ' ' .. worker)
        redis.call('ZREM', ready, name)
        return {redis.call('HGET', event, name), string.format('%d', attempt), redis.call('HGET', notes, name) or ''}
    end
    redis.call('ZREM', ready, name)
end
"""
)

RENEW = (
    _KEYS
    + """
local name, held, til, has_notes, text = unpack(ARGV)
if redis.call('HGET', claim, name) ~= held then return 0 end
if not tonumber(redis.call('HGET', standing, name) or '') then return 0 end
if has_notes == '1' then redis.call('HSET', notes, name, text) end
redis.call('ZADD', leased, til, name)
redis.call('ZREM', ready, name)
return 1
"""
)

FINISH = (
    _KEYS
    + _FIRST
    + _END
    + """
local name, held, turn, now = unpack(ARGV)
if redis.call('HGET', claim, name) ~= held then return 0 end
local number = tonumber(redis.call('HGET', standing, name) or '')
if not number then return 1 end
finish(name, number, turn, now, 'done')
return 1
"""
)

# An event that is handled whoever has claimed it.
DISCARD = (
    _KEYS
    + _FIRST
    + _END
    + """
local name, turn, now = unpack(ARGV)
local number = tonumber(redis.call('HGET', standing, name) or '')
if not number then return 0 end
finish(name, number, turn, now, 'discarded')
return 1
"""
)

_VALUES = "local value, keys, expiring = unpack(KEYS)\n"
_PUT = """
local function put(key, expires, text)
    redis.call('ZADD', keys, 0, key)
    if expires == '0' then redis.call('ZREM', expiring, key) else redis.call('ZADD', expiring, expires, key) end
    redis.call('HSET', value, key, expires .. ' ' .. text)
end
local function drop(key)
    redis.call('HDEL', value, key)
    redis.call('ZREM', expiring, key)
    redis.call('ZREM', keys, key)
end
"""
PUT = _VALUES + _PUT + "put(ARGV[1], ARGV[2], ARGV[3]) return 1"
# The arguments are when the values expire, then key and value of each.
PUT_MANY = _VALUES + _PUT + "for n = 2, #ARGV, 2 do put(ARGV[n], ARGV[1], ARGV[n + 1]) end return 1"
REMOVE = _VALUES + _PUT + "drop(ARGV[1]) return 1"
ADD = (
    _VALUES
    + _PUT
    + """
local key, expires, text, now = unpack(ARGV)
local until_then = tonumber((redis.call('HGET', value, key) or ''):match('^%d+') or '')
if until_then and (until_then == 0 or until_then > tonumber(now)) then return 0 end
put(key, expires, text)
return 1
"""
)
PURGE = (
    _VALUES
    + _PUT
    + """
for _, key in ipairs(redis.call('ZRANGE', expiring, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])) do drop(key) end
return 1
"""
)
