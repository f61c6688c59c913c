// From the streams of RedisLines to the event log.
#include "libs/contract/queue_events.hpp"
#include "libs/core/json.hpp"
#include "services/queue/store/evidence.hpp"
#include "services/queue/store/redis_lines.hpp"
#include "services/queue/store/redis_records.hpp"
#include "services/queue/store/told_levers.hpp"

namespace urr::queue {

namespace {

constexpr std::string_view batch_max = "256";

constexpr auto witness_work = [](Tx& tx, const std::vector<Message>& messages) {
    return witness_admissions(tx, messages, false);
};

// One entry of a stream: names and values in turn.
std::optional<Message> message_of(const EventId& event, const std::vector<Reply>& fields) {
    std::map<std::string_view, std::string_view> of;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) of[fields[i].text] = fields[i + 1].text;
    Message m;
    m.id = {id_of(of["id"])};
    m.topic = topic_queue;
    m.type = of["type"];
    m.occurred = instant_of(of["at"]);
    const GenerationId generation{id_of(of["generation"])};
    const AccountId account{id_of(of["account"])};
    const auto epoch = number_of(of["epoch"]), position = number_of(of["position"]);
    const auto arrival = number_of(of["arrival"]);
    const auto phase = std::uint32_t(number_of(of["phase"]));
    const bool of_event = m.type == LeversPulled::type || m.type == HallBegun::type;
    m.key = m.type == GenerationBegun::type ? generation.bytes
            : of_event                      ? event.bytes
                                            : account.bytes;
    if (m.type == EntryAdmitted::type)
        m.data = to_json(EntryAdmitted{generation,
                                       event,
                                       account,
                                       {id_of(of["entry"])},
                                       {id_of(of["receipt"])},
                                       epoch,
                                       phase,
                                       position,
                                       arrival,
                                       instant_of(of["admitted"]),
                                       instant_of(of["until"])});
    else if (m.type == EntryReturned::type)
        m.data = to_json(EntryReturned{generation, event, account, {id_of(of["entry"])}});
    else if (m.type == EntryEnded::type)
        m.data = to_json(EntryEnded{generation, event, account, std::string(of["reason"]), epoch,
                                    phase, position, arrival});
    else if (m.type == LeversPulled::type)
        m.data = to_json(told_levers(hall_of(fields).levers, generation, event, account, epoch));
    else if (m.type == HallBegun::type)
        m.data = to_json(HallBegun{generation, event});
    else if (m.type == GenerationBegun::type)
        m.data = to_json(GenerationBegun{generation});
    else
        return std::nullopt;
    return m;
}

} // namespace

Task<Result<std::size_t>> RedisLines::carry(Context context, EventLog& log, EventId event) {
    const std::string key = event == EventId{} ? "{queue}:outbox" : LineKeys(event).outbox();
    const Reply told =
        TRY(co_await redis_.command(context, Command{"XRANGE", key, "-", "+", "COUNT", batch_max}));
    if (told.items.empty()) co_return std::size_t(0);
    std::vector<Message> messages;
    Command carried{"XDEL", key};
    for (const Reply& entry : told.items) {
        if (entry.items.size() != 2) continue;
        carried.add(entry.items[0].text);
        if (auto message = message_of(event, entry.items[1].items))
            messages.push_back(std::move(*message));
    }
    const std::size_t count = messages.size();
    TRY(co_await log.append(context, messages));
    // Carried again after a failure it is sealed twice; the ledger knows records by their ids.
    if (options_.evidence)
        TRY(co_await options_.evidence->transact(context, witness_work, std::move(messages)));
    TRY(co_await redis_.command(context, std::move(carried)));
    co_return count;
}

} // namespace urr::queue
