"""The keys of the Redis store and the Lua scripts that write them, each atomically.

Behind `footnote:{WORKSPACE}:`, whose braces keep all keys of a workspace on one node of a cluster, stand

    exchange:ID  vote:KEY  correction:KEY  decision:KEY
                                             a record's JSON; behind it, on a line of its own, where the audit has it
    exchanges                                moments of all exchanges (sorted set, in the order of its bytes)
    conversation:NAME                        moments of the exchanges of a conversation
    votes:ANSWER  corrections:ANSWER  decisions:ANSWER
                                             moments of all votes, also of those that no longer count; and so on
    standing:ANSWER                          of each voter the latest choice and its moment (hash)
    counts:ANSWER                            how many count now, as `up` and `down` (hash)
    audit                                    every vote, correction and decision as it came, without words (stream)
    person:HASH                              the names of the records that go when this person is forgotten (set)
    export:ID  exports                       an export's JSON, and the moments of all
    people:EXPORT                            whose rows are in it (sorted set)
    held:HASH                                of each export the rows that hold something of this person (hash)

A moment is the time in 18 digits and the id or key; bytes order moments by both. Feedback of the same moment is in the
order of its entries in the audit, which the server numbers as they come.

A script that records begins with what may be done twice and ends with the record, by which it is known the next time:
where a server refuses a command in the middle (by its rights or its memory), what was done stays, and the next try
completes it. One that erases ends with the name in `person:HASH`, by which the next try finds what is left.
"""

NEW, KNOWN, NO_EXCHANGE = 1, 0, -1

# How the JSON of a pruned exchange begins; feedback about it is stored without its text.
PRUNED = b'{"pruned": true'

RECORD_EXCHANGE = """
local record, exchanges, conversation, person = unpack(KEYS)
local json, moment, name, in_conversation, asked = unpack(ARGV)
if redis.call('EXISTS', record) == 1 then return 0 end
if asked == '1' then redis.call('SADD', person, 'exchange:' .. name) end
if in_conversation == '1' then redis.call('ZADD', conversation, 0, moment) end
redis.call('ZADD', exchanges, 0, moment)
redis.call('SET', record, json)
return 1
"""

# Bytes are compared one by one because `<` on texts follows the language that the server runs in.
RECORD_VOTE = """
local exchange, record, votes, standing, counts, audit, person = unpack(KEYS)
local json, bare, moment, key, answer, voter, at, choice, now = unpack(ARGV)

local function later(this, that)
    for place = 1, math.min(#this, #that) do
        local a, b = this:byte(place), that:byte(place)
        if a ~= b then return a > b end
    end
    return #this > #that
end

local function count(which, by)
    if which ~= 'none' then redis.call('HINCRBY', counts, which, by) end
end

local begins = redis.call('GETRANGE', exchange, 0, 14)
if begins == '' then return -1 end
if redis.call('EXISTS', record) == 1 then return 0 end
if begins == '{"pruned": true' and bare ~= '' then json = bare end
if voter ~= '' then redis.call('SADD', person, 'vote:' .. key) end
redis.call('ZADD', votes, 0, moment)

local stood = redis.call('HGET', standing, voter) or 'none '
local space = stood:find(' ', 1, true)
-- Of the same moment the later comer counts. One whose time has not come was a wrong clock's: it gives way.
local stood_at, given_at = stood:sub(space + 1, space + 18), moment:sub(1, 18)
if not later(stood_at, given_at) or later(stood_at, now) then
    redis.call('HSET', standing, voter, choice .. ' ' .. moment)
    count(stood:sub(1, space - 1), -1)
    count(choice, 1)
end

local entry = redis.call('XADD', audit, '*',
    'kind', 'vote', 'key', key, 'answer', answer, 'person', voter, 'at', at, 'vote', choice)
redis.call('SET', record, json .. '\\n' .. entry)
return 1
"""

# A correction or a decision.
RECORD_FEEDBACK = """
local exchange, record, opinions, audit, person = unpack(KEYS)
local json, bare, moment, key, answer, author, at, kind = unpack(ARGV)
local begins = redis.call('GETRANGE', exchange, 0, 14)
if begins == '' then return -1 end
if redis.call('EXISTS', record) == 1 then return 0 end
if begins == '{"pruned": true' and bare ~= '' then json = bare end
if author ~= '' then redis.call('SADD', person, kind .. ':' .. key) end
redis.call('ZADD', opinions, 0, moment)
local entry = redis.call('XADD', audit, '*',
    'kind', kind, 'key', key, 'answer', answer, 'person', author, 'at', at)
redis.call('SET', record, json .. '\\n' .. entry)
return 1
"""

# Some feedback of one kind about one answer: for each its record and person, its moment, name, voter and entry.
# Where all feedback about the answer goes, the caller removes the moments last: by them the next try finds it.
ERASE_FEEDBACK = """
local moments, standing, counts, audit = unpack(KEYS, 1, 4)
local gone = 0
for number = 0, (#KEYS - 4) / 2 - 1 do
    local record, person = unpack(KEYS, 5 + 2 * number, 6 + 2 * number)
    local moment, name, voter, entry = unpack(ARGV, 2 + 4 * number, 5 + 4 * number)
    -- First, so that a full server does not refuse what comes next in the middle of it.
    if entry ~= '' then redis.call('XDEL', audit, entry) end
    if name:sub(1, 5) == 'vote:' then
        local stood = redis.call('HGET', standing, voter) or 'none '
        local space = stood:find(' ', 1, true)
        local choice = stood:sub(1, space - 1)
        if stood:sub(space + 1) == moment then
            if choice ~= 'none' then redis.call('HINCRBY', counts, choice, -1) end
            redis.call('HDEL', standing, voter)
        end
    end
    if ARGV[1] ~= 'all' then redis.call('ZREM', moments, moment) end
    gone = gone + redis.call('DEL', record)
    redis.call('SREM', person, name)
end
return gone
"""

# An exchange without feedback; 0, and nothing changes, where feedback was recorded meanwhile.
ERASE_EXCHANGE = """
local record, exchanges, conversation, person, standing, counts = unpack(KEYS, 1, 6)
local moment, name = unpack(ARGV)
for number = 7, #KEYS do
    if redis.call('ZCARD', KEYS[number]) > 0 then return 0 end
end
redis.call('DEL', standing, counts)
redis.call('ZREM', conversation, moment)
redis.call('ZREM', exchanges, moment)
redis.call('DEL', record)
redis.call('SREM', person, name)
return 1
"""
