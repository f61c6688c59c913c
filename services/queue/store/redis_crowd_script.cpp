// What comes by the thousands: signs of life and joins, many in one call. Apart from the other
// steps, so that a call pays for no more than it does.
#include "services/queue/store/redis_line_script.hpp"

namespace urr::queue {

namespace {

// KEYS  1 generation: the hall; 2 queue: account -> record; 3 seen; 4 spent; 5 changes
// ARGV  1 see or join; 2 now in µs, or 0: the server's time; 3 the line's life as this process
//       knows it, or "-"; from 4 on the items. see: accounts. join, ten words each: account, place
//       (epoch phase position arrival), receipt, whether the place was shown, end of the line
//       (epoch phase position).
// Answers LOST; or nothing, the time and the records; or nothing and for each join its place and
// receipt, or the word for what hindered it. What is written is as by so many calls one after the
// other; the changes of a call are one entry, under the version that it ends with.
constexpr std::string_view source = R"lua(
local step, now, life = ARGV[1], ARGV[2], ARGV[3]
local HALL, QUEUE, SEEN, SPENT, CHANGES = unpack(KEYS)
local call = redis.call
if now == '0' then
    local time = call('TIME')
    now = time[1] .. string.format('%06d', tonumber(time[2]))
end
local hall = call('HMGET', HALL, 'epoch', 'life', 'version', 'arrival', 'last_epoch', 'last_phase',
    'last_position')
if not hall[1] or (life ~= '-' and (hall[2] or '-') ~= life) then return {'LOST'} end

if step == 'see' then
    local records = call('HMGET', QUEUE, unpack(ARGV, 4))
    local seen, count = {}, 0
    for i = 4, #ARGV do
        local record = records[i - 3]
        if record and not string.find(record, '^%S+ %S+ %S+ %S+ 2') then
            seen[count + 1], seen[count + 2] = now, ARGV[i]
            count = count + 2
        end
    end
    if count > 0 then call('ZADD', SEEN, 'GT', unpack(seen)) end
    return {'', now, records}
end

-- join
local changes_kept, width = 20000, 10
local accounts, receipts = {}, {}
for i = 4, #ARGV, width do
    accounts[#accounts + 1], receipts[#receipts + 1] = ARGV[i], ARGV[i + 5]
end
local record_of, owner_of = {}, {}
local records = call('HMGET', QUEUE, unpack(accounts))
local owners = call('HMGET', SPENT, unpack(receipts))
for n, account in ipairs(accounts) do
    record_of[account], owner_of[receipts[n]] = records[n], owners[n]
end
local last_epoch, last_phase, last_position = hall[5] or '0', hall[6] or '0', hall[7] or '0'
local last_arrival = tonumber(hall[4] or '0')
local now_us, epoch_now = tonumber(now), tonumber(hall[1])
local spent, put, seen, changed = {}, {}, {}, {}

local function text(number) return string.format('%.0f', number) end
local function is_behind(epoch, phase, position) -- the last place
    local x, y = tonumber(epoch), tonumber(last_epoch)
    if x ~= y then return x > y end
    x, y = tonumber(phase), tonumber(last_phase)
    if x ~= y then return x > y end
    return tonumber(position) > tonumber(last_position)
end
-- Whether a place was given when the one that the record tells of had ended. What is bound to the
-- same receipt is the same place, however late it was given again.
local function is_after_end(record, epoch, phase, position, arrival, receipt)
    local e, f, p, a, admitted, bought =
        string.match(record, '^(%S+) (%S+) (%S+) (%S+) %S %S+ (%S+) %S+ (%S+)')
    local is_it = receipt ~= '-' and e == epoch and f == phase and p == position
    return not is_it and
        tonumber(arrival) > math.max(tonumber(a), tonumber(admitted), tonumber(bought))
end
local function join(account, epoch, phase, position, arrival, receipt, shown, ...)
    if epoch_now > tonumber(epoch) then return 'ROOM_CHANGED' end
    local used = false
    if receipt ~= '-' then
        local owner = owner_of[receipt]
        if not owner then
            owner_of[receipt] = account
            spent[#spent + 1], spent[#spent + 2] = receipt, account
        elseif shown == '0' then
            if owner ~= account then return 'VWR_TOKEN_SPENT' end
            used = true
        end
    end
    local record = record_of[account]
    if record then
        local place, state, bound = string.match(record, '^(%S+ %S+ %S+ %S+) (%S) .* (%S+)$')
        if state ~= '2' then return place .. ' ' .. bound end
        used = used or (tonumber(string.match(record, '^%S+')) >= tonumber(epoch) and
            not (shown == '1' and is_after_end(record, epoch, phase, position, arrival, receipt)))
    end
    if used then -- behind everybody, as far as anybody knows
        epoch, phase, position = ...
        if not is_behind(epoch, phase, position) then
            epoch, phase, position = last_epoch, last_phase, last_position
        end
        receipt = '-'
    end
    if used or shown == '0' then arrival = text(math.max(now_us, last_arrival + 1)) end
    if is_behind(epoch, phase, position) then
        last_epoch, last_phase, last_position = epoch, phase, position
    end
    last_arrival = math.max(last_arrival, tonumber(arrival))
    local place = epoch .. ' ' .. phase .. ' ' .. position .. ' ' .. arrival
    record = place .. ' 0 - 0 0 0 ' .. receipt
    record_of[account] = record
    local n = #put
    put[n + 1], put[n + 2] = account, record
    seen[n + 1], seen[n + 2] = now, account
    changed[n + 1], changed[n + 2] = 'a', account
    return place .. ' ' .. receipt
end
local answers = {''}
for i = 4, #ARGV, width do answers[#answers + 1] = join(unpack(ARGV, i, i + width - 1)) end
if #spent > 0 then call('HSET', SPENT, unpack(spent)) end
if #put > 0 then
    local version = tonumber(hall[3] or '0') + #put / 2
    call('HSET', QUEUE, unpack(put))
    call('ZADD', SEEN, 'GT', unpack(seen))
    call('HSET', HALL, 'version', text(version), 'arrival', text(last_arrival), 'last_epoch',
        last_epoch, 'last_phase', last_phase, 'last_position', last_position)
    call('XADD', CHANGES, 'MINID', '~', text(math.max(version - changes_kept, 0)),
        text(version) .. '-1', unpack(changed))
end
return answers
)lua";

} // namespace

const Script& crowd_script() {
    static const Script script(source);
    return script;
}

} // namespace urr::queue
