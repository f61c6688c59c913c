// The script of a line: each call is one step, whole or not, whichever process makes it. Signs of
// life and joins have one of their own (redis_crowd_script.cpp).
#include "services/queue/store/redis_line_script.hpp"

namespace urr::queue {

namespace {

// KEYS  1 generation: the hall; 2 queue: account -> record; 3 active: account by end of slot;
//       4 seen: account by last sign of life; 5 spent: receipt -> account; 6 revoked: entry by its
//       end; 7 outbox: events to be told; 8 changes: accounts in the order in which they changed;
//       9 acts: what was done by hand; 10 done: messages that took effect
// ARGV  1 step; 2 now in µs, or 0: the server's time; 3 the fence of this process's turn, or
//       nothing; from 4 on what the step needs; the last: the line's life, the generation in which
//       it was begun, as this process knows it, or "-"
// A record: epoch phase position arrival state entry admitted until fetched receipt; "-" is no id.
// fetched: 0 no, 1 yes; where the store was lost and did not write the end itself, 2: the log told
// of the admission when its time was over, a time in µs: he bought then.
// Numbers stay texts: Lua would round and abbreviate them.
constexpr std::string_view source = R"lua(
local life = table.remove(ARGV)
local HALL, QUEUE, ACTIVE, SEEN, SPENT, REVOKED, OUTBOX, CHANGES, ACTS, DONE = unpack(KEYS)
local call = redis.call
local step, now = ARGV[1], ARGV[2]
if now == '0' then
    local time = call('TIME')
    now = time[1] .. string.format('%06d', tonumber(time[2]))
end
local now_us = tonumber(now)
local changes_kept, kept_seconds, awaited_again_us = 20000, 40 * 86400, 15000000

local function text(number) return string.format('%.0f', number) end
-- In another life than this process knows: the line was lost, and another process began it anew.
local function exists()
    local hall = call('HMGET', HALL, 'epoch', 'life')
    return hall[1] and (life == '-' or (hall[2] or '-') == life)
end
local function of_record(record)
    local m = {}
    m.epoch, m.phase, m.position, m.arrival, m.state, m.entry, m.admitted, m.until_us, m.fetched,
        m.receipt = string.match(record,
        '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
    return m
end
local function read(account)
    local record = call('HGET', QUEUE, account)
    return record and of_record(record)
end
local function note_change(account)
    local version = text(call('HINCRBY', HALL, 'version', 1))
    call('XADD', CHANGES, 'MINID', '~', text(math.max(tonumber(version) - changes_kept, 0)),
        version .. '-1', 'a', account)
end
local function write(account, m)
    local record = table.concat({m.epoch, m.phase, m.position, m.arrival, m.state, m.entry,
        m.admitted, m.until_us, m.fetched, m.receipt}, ' ')
    call('HSET', QUEUE, account, record)
    if m.state == '1' then call('ZADD', ACTIVE, m.until_us, account)
    else call('ZREM', ACTIVE, account) end
    if m.state == '2' then call('ZREM', SEEN, account) end
    note_change(account)
    return record
end
local function revoke(entry, until_us)
    if tonumber(until_us) <= now_us then return end
    call('ZADD', REVOKED, until_us, entry)
    call('ZREMRANGEBYSCORE', REVOKED, '-inf', now)
    call('EXPIRE', REVOKED, 86400)
end
-- Also what is told here is done: another life of the server reads it in the log.
local function tell(kind, message, generation, account, m, more)
    call('ZADD', DONE, now, message)
    call('XADD', OUTBOX, '*', 'type', kind, 'id', message, 'at', now, 'generation', generation,
        'account', account, 'epoch', m.epoch, 'phase', m.phase, 'position', m.position,
        'arrival', m.arrival, 'entry', m.entry, 'receipt', m.receipt, 'admitted', m.admitted,
        'until', m.until_us, 'reason', more or '')
end
local function first_time(message) return call('ZADD', DONE, 'NX', now, message) == 1 end
local function less(a, b) -- places as texts
    for i = 1, 3 do
        local x, y = tonumber(a[i]), tonumber(b[i])
        if x ~= y then return x < y end
    end
    return false
end
local function last_place()
    local last = call('HMGET', HALL, 'last_epoch', 'last_phase', 'last_position')
    return last[1] and last or {'0', '0', '0'}
end
local function note_place(m)
    if less(last_place(), {m.epoch, m.phase, m.position}) then
        call('HSET', HALL, 'last_epoch', m.epoch, 'last_phase', m.phase, 'last_position',
            m.position)
    end
    local arrival = tonumber(call('HGET', HALL, 'arrival') or '0')
    if tonumber(m.arrival) > arrival then call('HSET', HALL, 'arrival', m.arrival) end
end
local function next_arrival()
    return text(math.max(now_us, tonumber(call('HGET', HALL, 'arrival') or '0') + 1))
end
local function to_end(m, epoch, phase, position) -- behind everybody, as far as anybody knows
    local last, given = last_place(), {epoch, phase, position}
    if less(given, last) then given = last end
    m.epoch, m.phase, m.position, m.arrival, m.receipt =
        given[1], given[2], given[3], next_arrival(), '-'
end
local function same_place(m, epoch, phase, position, arrival, receipt)
    if m.epoch ~= epoch or m.phase ~= phase or m.position ~= position then return false end
    return m.arrival == arrival or (receipt ~= '-' and m.receipt == receipt)
end
-- Whether a place was given when the one that the ended record tells of had ended.
local function is_after_end(m, arrival)
    return tonumber(arrival) >
        math.max(tonumber(m.arrival), tonumber(m.admitted), tonumber(m.fetched))
end
local function note_act(id, by, what)
    call('LPUSH', ACTS, now .. ' ' .. by .. ' ' .. what)
    call('LTRIM', ACTS, 0, 999)
end
-- A purchase of which the store forgot the admission: spent before that is known again.
local function buy_before_loss(account, m, bought, message, generation)
    local hall = call('HMGET', HALL, 'epoch', 'admits_from')
    local at = tonumber(bought)
    if tonumber(hall[2] or '0') <= at or tonumber(hall[1]) >= at then return false end
    if not m then
        m = {epoch = hall[1], phase = '0', position = '0', arrival = bought, entry = '-',
            until_us = '0', receipt = '-'}
    elseif tonumber(m.arrival) > at then return false
    else tell('Ended', message, generation, account, m, 'bought') end
    m.state, m.admitted, m.fetched = '2', bought, bought
    write(account, m)
    return true
end
local function is_ours(run) return call('HGET', HALL, 'run') == run end
-- As in domain/levers.hpp, where a lever is added first.
local levers = {'threshold', 'per_second', 'paused', 'room', 'message'}
local function tell_levers(message, generation, account)
    local words = {'type', 'LeversPulled', 'id', message, 'at', now, 'generation', generation,
        'account', account, 'epoch', call('HGET', HALL, 'epoch')}
    for _, name in ipairs(levers) do
        for _, field in ipairs({name, name .. '_pull'}) do
            words[#words + 1] = field
            words[#words + 1] = call('HGET', HALL, field) or ''
        end
    end
    call('XADD', OUTBOX, '*', unpack(words))
end
local function await(message, generation)
    call('HSET', HALL, 'awaits', message, 'awaits_told', now)
    call('XADD', OUTBOX, '*', 'type', 'HallBegun', 'id', message, 'at', now, 'generation',
        generation)
end
-- Members of earlier epochs end. Whoever is inside is told of under the id of his entry and stays
-- known as one who has ended, so that nothing the log tells later lets him in; the others are
-- forgotten. Who is of this epoch or a later one stays as he is: the log may have told of him
-- before it tells of the clear. Answers what is revoked.
local function end_epoch(epoch, generation)
    local revoked, kept, signs = {}, {}, {}
    local function is_earlier(m) return tonumber(m.epoch) < tonumber(epoch) end
    for _, account in ipairs(call('ZRANGE', ACTIVE, 0, -1)) do
        local m = read(account)
        if m and is_earlier(m) then
            if tonumber(m.until_us) > now_us then
                revoke(m.entry, m.until_us)
                revoked[#revoked + 1] = m.entry
                revoked[#revoked + 1] = m.until_us
                tell('Ended', m.entry, generation, account, m, 'cleared')
            end
            m.state = '2'
            kept[account] = m
        end
    end
    if is_earlier({epoch = last_place()[1]}) then
        call('DEL', SPENT) -- nobody is of this epoch, and no receipt counts in it
    else
        local all = call('HGETALL', QUEUE)
        for i = 1, #all, 2 do
            local account, m = all[i], of_record(all[i + 1])
            if not is_earlier(m) then
                kept[account], signs[account] = m, call('ZSCORE', SEEN, account)
            end
        end
    end
    call('DEL', QUEUE, ACTIVE, SEEN)
    for account, m in pairs(kept) do
        write(account, m)
        if signs[account] then call('ZADD', SEEN, signs[account], account) end
    end
    call('HSET', HALL, 'epoch', epoch, 'seen_phase', 0, 'seen_next', 0, 'seen_serving', 0,
        'seen_voids', 0)
    note_change('*')
    return revoked
end

-- Every process.
if step == 'saw' then
    if not exists() then return {'LOST'} end
    for i = 4, #ARGV do
        if call('HEXISTS', QUEUE, ARGV[i]) == 1 then call('ZADD', SEEN, 'GT', now, ARGV[i]) end
    end
    return {''}
elseif step == 'member' then
    local record = call('HGET', QUEUE, ARGV[4])
    return record and {'', record, call('ZSCORE', SEEN, ARGV[4]) or '0'} or {}
elseif step == 'hall' then
    return call('HEXISTS', HALL, 'epoch') == 1 and {'', call('HGETALL', HALL)} or {}
elseif step == 'begin' then
    if call('HEXISTS', HALL, 'epoch') == 0 then
        local message, generation = ARGV[4], ARGV[5]
        for i = 6, #ARGV, 2 do call('HSET', HALL, ARGV[i], ARGV[i + 1]) end
        if message ~= '-' then await(message, generation) end
    end
    return {'', call('HGETALL', HALL)}
elseif step == 'follow' then
    local since, seen_since = tonumber(ARGV[4]), ARGV[5]
    if not exists() then return {'LOST'} end
    local version = tonumber(call('HGET', HALL, 'version') or '0')
    local changed, whole = {}, since > version or since == 0
    if not whole and since < version then
        local accounts = {} -- a version each; an entry bears the last of its own
        for _, entry in ipairs(call('XRANGE', CHANGES, text(since + 1), '+')) do
            for i = 2, #entry[2], 2 do
                accounts[#accounts + 1] = entry[2][i]
                whole = whole or entry[2][i] == '*'
            end
        end
        whole = whole or #accounts ~= version - since
        for i = 1, whole and 0 or #accounts do
            changed[#changed + 1] = accounts[i]
            changed[#changed + 1] = call('HGET', QUEUE, accounts[i]) or ''
        end
    end
    if whole then changed = call('HGETALL', QUEUE) end
    return {'', call('HGETALL', HALL), whole and 1 or 0, changed,
        call('ZRANGE', SEEN, seen_since, '+inf', 'BYSCORE', 'WITHSCORES')}
elseif step == 'retake' then
    local account, epoch, arrival, entry, admitted, until_us = unpack(ARGV, 4, 9)
    if not exists() then return {'LOST'} end
    if tonumber(until_us) <= now_us then return {} end
    if call('ZSCORE', REVOKED, entry) then return {'ENTRY_TOKEN_REVOKED'} end
    local before = call('HGET', QUEUE, account)
    if before then
        local had = of_record(before)
        local ended = math.max(tonumber(had.admitted), tonumber(had.fetched))
        if had.state ~= '2' or ended < tonumber(admitted) then return {} end
        revoke(entry, until_us)
        return {'', before, now}
    end
    local m = {epoch = epoch, phase = '0', position = '0', arrival = arrival, state = '1',
        entry = entry, admitted = admitted, until_us = until_us, fetched = '1', receipt = '-'}
    note_place(m)
    call('ZADD', SEEN, 'GT', now, account)
    return {'', write(account, m), now}
elseif step == 'fetched' then
    local m = read(ARGV[4])
    if not m or m.state ~= '1' or m.entry ~= ARGV[5] then return {'', 0} end
    m.fetched = '1'
    write(ARGV[4], m)
    return {'', 1}
elseif step == 'end' then
    local account, reason, message, generation, condition = unpack(ARGV, 4, 8)
    if condition == 'bought' then
        if not exists() then return {'LOST'} end
        if not first_time(ARGV[10]) then return {'', 0, '-', '0'} end
    end
    local m = read(account)
    if condition == 'bought' and (not m or m.state == '0') then
        local ended = buy_before_loss(account, m, ARGV[9], message, generation)
        return {'', ended and 1 or 0, '-', '0'}
    end
    if not m or m.state == '2' then return {'', 0, '-', '0'} end
    if condition ~= 'any' and m.state ~= '1' then return {'', 0, '-', '0'} end
    if condition == 'entry' and m.entry ~= ARGV[9] then return {'', 0, '-', '0'} end
    if condition == 'bought' and tonumber(m.admitted) > tonumber(ARGV[9]) then
        return {'', 0, '-', '0'}
    end
    local entry, until_us = '-', '0'
    if m.state == '1' and tonumber(m.until_us) > now_us then
        entry, until_us = m.entry, m.until_us
        revoke(entry, until_us)
    end
    tell('Ended', message, generation, account, m, reason)
    m.state = '2'
    write(account, m)
    return {'', 1, entry, until_us}
-- What a store that was lost had told.
elseif step == 'rebuild_admitted' then
    local message, account, epoch, phase, position, arrival, entry, receipt, admitted, until_us =
        unpack(ARGV, 4, 13)
    if not first_time(message) then return {} end
    if receipt ~= '-' then call('HSETNX', SPENT, receipt, account) end
    local spent = {epoch = epoch, phase = phase, position = position, arrival = arrival,
        state = tonumber(until_us) > now_us and '1' or '2', entry = entry, admitted = admitted,
        until_us = until_us, fetched = '1', receipt = receipt}
    local m = read(account)
    local bought = m and m.state == '2' and tonumber(m.fetched) or 0
    if bought > 2 and bought >= tonumber(admitted) then -- known before; maybe with a later entry
        local is_told = m.entry ~= '-' and same_place(m, epoch, phase, position, arrival, receipt)
        spent.state, spent.fetched = '2', m.fetched
        revoke(entry, until_us)
        if not is_told then tell('Ended', ARGV[17], ARGV[18], account, spent, 'bought') end
        note_place(spent)
        return {'', write(account, spent), now}
    end
    if m and m.state == '2' and is_after_end(m, arrival) then
        m = nil -- what is known of him is how an earlier place ended
    end
    local is_it = not m or (m.state == '1' and m.entry == entry)
    if not m and spent.state == '2' then spent.fetched = '2' end
    if m and is_it and m.fetched == '0' then return {} end -- let in by this line itself
    if not is_it then
        if m.state ~= '0' or not same_place(m, epoch, phase, position, arrival, receipt) then
            return {}
        end
        if spent.state == '2' then
            to_end(m, ARGV[14], ARGV[15], ARGV[16])
            m.fetched = '1'
            note_place(m)
            return {'', write(account, m), now}
        end
    end
    note_place(spent)
    return {'', write(account, spent), now}
elseif step == 'rebuild_returned' then
    if not first_time(ARGV[4]) then return {} end
    local m = read(ARGV[5])
    if not m or m.state == '0' or m.entry ~= ARGV[6] then return {} end
    if m.state == '2' and m.fetched ~= '2' then return {} end -- it had an end of its own
    revoke(m.entry, m.until_us)
    m.fetched = '1'
    if tonumber(m.epoch) < tonumber(call('HGET', HALL, 'epoch') or '0') then
        m.state = '2' -- places of an epoch that is over are worth nothing
    else
        m.state, m.entry, m.until_us = '0', '-', '0'
    end
    return {'', write(ARGV[5], m), now}
elseif step == 'rebuild_ended' then
    local message, account, epoch, phase, position, arrival = unpack(ARGV, 4, 9)
    if not first_time(message) then return {} end
    local m = read(account)
    if not m then
        m = {epoch = epoch, phase = phase, position = position, arrival = arrival, state = '2',
            entry = '-', admitted = '0', until_us = '0', fetched = '1', receipt = '-'}
        note_place(m)
        return {'', write(account, m), now}
    end
    if m.state == '2' and is_after_end(m, arrival) then
        -- of a later place, which he left before he was let in
        m.epoch, m.phase, m.position, m.arrival, m.receipt = epoch, phase, position, arrival, '-'
        note_place(m)
        return {'', write(account, m), now}
    end
    if m.state == '2' or not same_place(m, epoch, phase, position, arrival, m.receipt) then
        return {}
    end
    if m.state == '0' then to_end(m, ARGV[10], ARGV[11], ARGV[12]) note_place(m)
    else
        revoke(m.entry, m.until_us)
        m.state = '2'
    end
    m.fetched = '1'
    return {'', write(account, m), now}
end

-- Whichever life of the line this process knows: the message is of one hall.
if step == 'awaited' then
    if call('HGET', HALL, 'awaits') ~= ARGV[4] then return {'', 0} end
    return {'', call('HDEL', HALL, 'awaits')}
end

-- Organizers, and what is known of the room.
if not exists() then return {'LOST'} end
if step == 'set' then
    for i = 4, #ARGV, 2 do call('HSET', HALL, ARGV[i], ARGV[i + 1]) end
    return {''}
elseif step == 'epoch' then
    if tonumber(call('HGET', HALL, 'epoch')) < tonumber(ARGV[4]) then
        call('HSET', HALL, 'epoch', ARGV[4], 'seen_phase', 0, 'seen_next', 0, 'seen_serving', 0,
            'seen_voids', 0)
    end
    return {'', call('HGET', HALL, 'epoch')}
elseif step == 'pull' then
    local message, by, what, generation = unpack(ARGV, 4, 7)
    local number = now_us
    for _, name in ipairs(levers) do
        number = math.max(number, tonumber(call('HGET', HALL, name .. '_pull') or '0') + 1)
    end
    for i = 8, #ARGV, 2 do
        call('HSET', HALL, ARGV[i], ARGV[i + 1], ARGV[i] .. '_pull', text(number))
    end
    call('HSET', HALL, 'levers_told', now)
    note_act(message, by, what)
    tell_levers(message, generation, by)
    return {'', call('HGETALL', HALL)}
elseif step == 'newest' then
    for i = 4, #ARGV, 3 do
        local name, value, number = unpack(ARGV, i, i + 2)
        if tonumber(number) > tonumber(call('HGET', HALL, name .. '_pull') or '0') then
            call('HSET', HALL, name, value, name .. '_pull', number, 'levers_told', '0')
        end
    end
    return {'', call('HGETALL', HALL)}
elseif step == 'clear' then
    local message, by, what, generation, at_least = unpack(ARGV, 4, 8)
    local epoch = text(math.max(tonumber(at_least), tonumber(call('HGET', HALL, 'epoch')) + 1))
    local revoked = end_epoch(epoch, generation)
    note_act(message, by, what)
    tell_levers(message, generation, by)
    return {'', epoch, revoked}
elseif step == 'clear_again' then
    local epoch = call('HGET', HALL, 'epoch')
    if tonumber(epoch) >= tonumber(ARGV[5]) then return {'', epoch, {}} end
    return {'', ARGV[5], end_epoch(ARGV[5], ARGV[4])}
-- Whose turn it is: one process at a time, and each step of a turn is checked.
elseif step == 'turn' then
    local holder, length_us, run, gather_us, begun, generation = unpack(ARGV, 4, 9)
    local turn = call('HMGET', HALL, 'turn_holder', 'turn_until', 'turn_fence')
    local free = not turn[2] or tonumber(turn[2]) <= now_us
    if not free and turn[1] ~= holder then return {'', '0'} end
    local fence = turn[3]
    if free or turn[1] ~= holder then -- by time: no life of the store gives a number twice
        fence = text(math.max(now_us, tonumber(fence or '0') + 1))
    end
    call('HSET', HALL, 'turn_holder', holder, 'turn_until', text(now_us + tonumber(length_us)),
        'turn_fence', fence)
    if not is_ours(run) then -- another server, or the same one after a restart
        call('HSET', HALL, 'run', run, 'admits_from', text(now_us + tonumber(gather_us)))
        await(begun, generation)
    end
    -- Told again under its own id: it may have been told in a life that ended at that moment, or
    -- have been read by a process that knew another.
    local hall = call('HMGET', HALL, 'awaits', 'awaits_told')
    if hall[1] and now_us - tonumber(hall[2] or '0') > awaited_again_us then
        await(hall[1], generation)
    end
    call('ZREMRANGEBYSCORE', DONE, '-inf', text(now_us - kept_seconds * 1000000))
    if now_us > tonumber(call('HGET', HALL, 'time') or '0') then call('HSET', HALL, 'time', now) end
    for _, key in ipairs(KEYS) do call('EXPIRE', key, kept_seconds) end
    return {'', fence}
end
if ARGV[3] ~= '' and call('HGET', HALL, 'turn_fence') ~= ARGV[3] then return {'TURN'} end
if step == 'tell_levers' then
    call('HSET', HALL, 'levers_told', now)
    tell_levers(ARGV[4], ARGV[5], '-')
    return {''}
elseif step == 'back' then
    local account, entry, message, generation = unpack(ARGV, 4, 7)
    local m = read(account)
    if not m or m.state ~= '1' or m.entry ~= entry or m.fetched ~= '0' then return {'', 0} end
    revoke(entry, m.until_us)
    tell('Returned', message, generation, account, m)
    m.state, m.entry, m.until_us = '0', '-', '0'
    write(account, m)
    return {'', 1}
elseif step == 'admit' then
    local generation, run, silence_us, admitted, until_us = unpack(ARGV, 4, 8)
    local hall = call('HMGET', HALL, 'paused', 'admits_from', 'threshold', 'awaits')
    if run ~= '' and not is_ours(run) then return {'TURN'} end
    local done = {}
    if hall[1] == '1' or hall[4] or tonumber(hall[2]) > now_us then return {'', done} end
    local room = tonumber(hall[3]) - call('ZCARD', ACTIVE)
    for i = 9, #ARGV, 4 do
        if room <= 0 then break end
        local account, arrival, entry, message = unpack(ARGV, i, i + 3)
        local m = read(account)
        local seen = tonumber(call('ZSCORE', SEEN, account) or '0')
        if m and m.state == '0' and m.arrival == arrival and
            seen + tonumber(silence_us) >= now_us then
            m.state, m.entry, m.fetched = '1', entry, '0'
            m.admitted, m.until_us = admitted, until_us
            tell('Admitted', message, generation, account, m)
            write(account, m)
            done[#done + 1] = account
            room = room - 1
        end
    end
    return {'', done}
end
return redis.error_reply('ERR no such step')
)lua";

constexpr std::string_view begin_source = R"lua(
local fresh, message, now, run = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local known = redis.call('HMGET', KEYS[1], 'id', 'run')
if run ~= '' then redis.call('HSET', KEYS[1], 'run', run) end
if not known[1] or (known[2] and run ~= '' and known[2] ~= run) then
    redis.call('HSET', KEYS[1], 'id', fresh)
    if now == '0' then
        local time = redis.call('TIME')
        now = time[1] .. string.format('%06d', tonumber(time[2]))
    end
    redis.call('HSET', KEYS[1], 'log_read', '0')
    redis.call('XADD', KEYS[2], '*', 'type', 'GenerationBegun', 'id', message, 'at', now,
        'generation', fresh)
end
local time = redis.call('TIME')
return {redis.call('HGET', KEYS[1], 'id'), redis.call('HGET', KEYS[1], 'log_read'),
    time[1] .. string.format('%06d', tonumber(time[2]))}
)lua";

} // namespace

const Script& line_script() {
    static const Script script(source);
    return script;
}
const Script& generation_script() {
    static const Script script(begin_source);
    return script;
}

LineKeys::LineKeys(const EventId& event) : tag("{" + event.text() + "}:") {}

std::vector<std::string> LineKeys::all() const {
    std::vector<std::string> keys;
    for (const char* name : {"generation", "queue", "active", "seen", "spent", "revoked", "outbox",
                             "changes", "acts", "done"})
        keys.push_back(tag + name);
    return keys;
}

std::vector<std::string> LineKeys::of_crowds() const {
    return {tag + "generation", tag + "queue", tag + "seen", tag + "spent", tag + "changes"};
}

} // namespace urr::queue
