"""The Redis store's keys, and the scripts that alone write them: each runs whole, with nobody else in between.

Behind `footnote:{WORKSPACE}:`, whose braces keep all keys of a workspace on one node of a cluster, stand

    exchange:ID  vote:KEY  correction:KEY    a record's JSON
    exchanges                                moments of all exchanges (sorted set, in the order of its bytes)
    conversation:NAME                        moments of the exchanges of a conversation
    votes:ANSWER  corrections:ANSWER         moments of all votes, also of those that no longer count; of corrections
    standing:ANSWER                          of each voter the latest choice and its moment (hash)
    counts:ANSWER                            how many count now, as `up` and `down` (hash)
    audit                                    every vote and correction as it came, without what was written (stream)
    person:HASH                              what must go when this person is forgotten: the names of their records,
                                             and `audit:ID` of their entries in the stream (set)

A moment is the time in 18 digits and the id or key; bytes order moments as the contract orders records.

A script begins with what may be done twice and ends with the record, by which it is known the next time: where a server
refuses a command in the middle (by its rights or its memory), what was done stays, and the next try completes it.
"""

NEW, KNOWN, NO_EXCHANGE = 1, 0, -1

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
local json, moment, key, answer, voter, at, choice = unpack(ARGV)

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

if redis.call('EXISTS', exchange) == 0 then return -1 end
if redis.call('EXISTS', record) == 1 then return 0 end
if voter ~= '' then redis.call('SADD', person, 'vote:' .. key) end
redis.call('ZADD', votes, 0, moment)

local stood = redis.call('HGET', standing, voter) or 'none '
local space = stood:find(' ', 1, true)
if later(moment, stood:sub(space + 1)) then
    redis.call('HSET', standing, voter, choice .. ' ' .. moment)
    count(stood:sub(1, space - 1), -1)
    count(choice, 1)
end

local entry = redis.call('XADD', audit, '*',
    'kind', 'vote', 'key', key, 'answer', answer, 'person', voter, 'at', at, 'vote', choice)
if voter ~= '' then redis.call('SADD', person, 'audit:' .. entry) end
redis.call('SET', record, json)
return 1
"""

RECORD_CORRECTION = """
local exchange, record, corrections, audit, person = unpack(KEYS)
local json, moment, key, answer, author, at = unpack(ARGV)
if redis.call('EXISTS', exchange) == 0 then return -1 end
if redis.call('EXISTS', record) == 1 then return 0 end
if author ~= '' then redis.call('SADD', person, 'correction:' .. key) end
redis.call('ZADD', corrections, 0, moment)
local entry = redis.call('XADD', audit, '*',
    'kind', 'correction', 'key', key, 'answer', answer, 'person', author, 'at', at)
if author ~= '' then redis.call('SADD', person, 'audit:' .. entry) end
redis.call('SET', record, json)
return 1
"""
