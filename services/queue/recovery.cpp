// How queue comes to know an event: from its store after a restart; where the store was lost, from
// the waiting room, from what people show, and from its own events in the log.
#include "services/queue/service.hpp"

#include "libs/contract/events.hpp"
#include "services/queue/store/told_levers.hpp"

namespace urr::queue {

Service::Service(Parts parts)
    : parts_(std::move(parts)), room_(parts_.waiting_room, parts_.caller, parts_.clock),
      stream_limit_(std::make_shared<StreamLimit>(StreamLimit{parts_.streams_max, 0})) {}

Hall& Service::hall(const EventId& event) {
    auto& slot = halls_[event];
    if (!slot) slot = std::make_unique<Hall>(stream_limit_);
    return *slot;
}

// Behind everybody of the epoch.
Place Service::end_of(Hall& of, std::uint64_t epoch) const {
    Place last = of.line.end_of_line(now());
    if (last.epoch < epoch) last = {epoch, 0, 0, last.arrival};
    // Of a line that was lost not all are here: they may have any number that the room has served.
    if (of.admits_from != Instant{} && of.seen.epoch == epoch)
        last = std::max(last, Place{epoch, of.seen.phase, of.seen.serving, last.arrival});
    return last;
}

Task<Result<void>> Service::open(Context context) {
    const GenerationId fresh = GenerationId::make(now(), parts_.random);
    opened_ = now();
    opened_at_ = Loop::here().now();
    auto opened = co_await parts_.lines.open(context, fresh, message_id());
    // A shared store that is away holds up no start: each tick asks again.
    if (!opened && parts_.lines.is_shared()) co_return Result<void>{};
    const Generation generation = TRY(std::move(opened));
    generation_ = generation.id;
    log_read_ = generation.log_read;
    opened_ = generation.now;
    for (const RevokedEntry& entry : generation.revoked)
        parts_.revoked.revoke(entry.event, entry.entry, entry.until);
    for (const EventId& event : parts_.events.published()) {
        const auto facts = parts_.events.find(event);
        // One that cannot be known yet (the waiting room is away) is asked for again each second.
        if (facts) (void)co_await know(context, event, *facts);
    }
    co_return Result<void>{};
}

Task<Result<void>> Service::know(Context context, EventId event, EventFacts facts) {
    if (hall(event).known) co_return Result<void>{};
    const auto members = TRY(co_await parts_.lines.line(context, event));
    auto record = TRY(co_await parts_.lines.hall(context, event));
    // A shared store may have been lost since we looked, and another process have begun anew.
    if (!record && parts_.lines.is_shared()) TRY(co_await renew_generation(context));
    if (!record) record = TRY(co_await begin_hall(context, event, facts, !members.empty()));
    Hall& of = hall(event);
    // Begun anew by a process that did not know them: what was not told to the log yet is not lost.
    if (of.had_levers && newest(record->levers, of.levers) != record->levers)
        record->levers = TRY(co_await parts_.lines.take_newest(context, event, of.levers));
    if (of.known) co_return Result<void>{}; // another asked meanwhile
    of.epoch = record->epoch;
    of.take(*record);
    of.had_levers = true;
    of.seen = record->seen;
    for (const auto& [account, member] : members) of.line.restore(account, member);
    of.line.rank(of.rules(parts_.rules), now());
    of.known = true;
    if (parts_.lines.is_shared()) TRY(co_await tell_revoked(context, event));
    co_return Result<void>{};
}

// The store has nothing of the event. It is new, unless numbers were given or seats are gone: then
// the store was lost, and nobody is let in until places, entries and the log have told the rest.
Task<Result<HallRecord>> Service::begin_hall(Context context, EventId event, EventFacts facts,
                                             bool has_members) {
    const auto seen = co_await room_.status(context, event);
    const bool no_room = !seen && seen.error().code() == Code::NOT_FOUND;
    if (!seen && !no_room && facts.room)
        co_return fail(Error(Code::QUEUE_RECOVERING).retry_after(2));
    HallRecord fresh;
    fresh.levers.threshold = parts_.rules.threshold;
    fresh.levers.per_second = parts_.admitted_per_second_max;
    // A store that was lost under us: what we remember holds until the log tells what is newer.
    if (const Hall& of = hall(event); of.had_levers) fresh.levers = of.levers;
    fresh.awaits = message_id();
    fresh.epoch = seen ? seen->epoch : std::uint64_t(std::max<std::int64_t>(1, now().us));
    if (seen) fresh.seen = *seen;
    const bool had_life = (seen && seen->next > 1) || facts.under_way + facts.sold > 0;
    if (had_life && !has_members) fresh.admits_from = now() + parts_.gather;
    co_return TRY(co_await parts_.lines.begin_hall(context, event, std::move(fresh)));
}

Task<Result<void>> Service::consume(Context context, Message message) {
    if (message.topic == topic_queue) co_return co_await take_own(context, std::move(message));
    if (message.type == ReservationConfirmed::type)
        co_return co_await take_purchase(context, std::move(message));
    co_return Result<void>{};
}

Task<Result<void>> Service::take_purchase(Context context, Message message) {
    const auto told = TRY(read_json<ReservationConfirmed>(message.data));
    auto ended = co_await parts_.lines.purchase(context, generation_, told.event, told.account,
                                                message.occurred, message.id, message_id());
    if (!ended && ended.error().code() == Code::QUEUE_RECOVERING) {
        const auto facts = parts_.events.find(told.event);
        if (!facts && facts.error().code() == Code::NOT_FOUND) co_return Result<void>{}; // no line
        // Again later, however long it takes: this is no fault of the message.
        if (!facts || !co_await begin_anew(context, told.event, *facts))
            co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
        ended = co_await parts_.lines.purchase(context, generation_, told.event, told.account,
                                               message.occurred, message.id, message_id());
    }
    if (!ended && ended.error().code() == Code::QUEUE_RECOVERING) // lost once more
        co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
    if (!ended) co_return fail(std::move(ended).error());
    if (!ended->ended) co_return Result<void>{};
    metrics_.bought.add();
    dismiss(told.event, told.account, *ended, "bought");
    co_return Result<void>{};
}

Task<Result<void>> Service::take_own(Context context, Message message) {
    if (message.type == EntryAdmitted::type) {
        auto told = TRY(read_json<EntryAdmitted>(message.data));
        if (told.generation == generation_) co_return Result<void>{};
        const EventId event = told.event;
        const AccountId account = told.account;
        const Place end = end_of(hall(event), told.epoch);
        take_rebuilt(event, account,
                     TRY(co_await parts_.lines.rebuild(context, message.id, std::move(told), end,
                                                       {generation_, message_id()})));
    } else if (message.type == EntryReturned::type) {
        const auto told = TRY(read_json<EntryReturned>(message.data));
        if (told.generation == generation_) co_return Result<void>{};
        take_rebuilt(told.event, told.account,
                     TRY(co_await parts_.lines.rebuild(context, message.id, told)));
        parts_.revoked.revoke(told.event, told.entry.bytes, now() + parts_.rules.active);
    } else if (message.type == EntryEnded::type) {
        auto told = TRY(read_json<EntryEnded>(message.data));
        if (told.generation == generation_) co_return Result<void>{};
        const EventId event = told.event;
        const AccountId account = told.account;
        const Place end = end_of(hall(event), told.epoch);
        take_rebuilt(event, account,
                     TRY(co_await parts_.lines.rebuild(context, message.id, std::move(told), end)));
    } else if (message.type == LeversPulled::type) {
        TRY(co_await take_levers(context, TRY(read_json<LeversPulled>(message.data))));
    } else if (message.type == HallBegun::type) {
        const auto told = TRY(read_json<HallBegun>(message.data));
        if (told.generation == generation_) TRY(co_await take_begun(context, told, message.id));
    } else if (message.type == GenerationBegun::type) {
        const auto told = TRY(read_json<GenerationBegun>(message.data));
        if (told.generation != generation_) co_return Result<void>{};
        TRY(co_await parts_.lines.note_log_read(context));
        log_read_ = true;
    }
    co_return Result<void>{};
}

// Also what this life of the store has told: then it changes nothing.
Task<Result<void>> Service::take_levers(Context context, LeversPulled told) {
    const EventId event = told.event;
    const Levers levers = levers_of(told);
    const auto facts = parts_.events.find(event);
    if (!facts && facts.error().code() == Code::NOT_FOUND) co_return Result<void>{}; // no line
    // Again later, however long it takes: this is no fault of the message.
    if (!facts || !co_await know(context, event, *facts))
        co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
    if (told.epoch > hall(event).epoch) TRY(co_await take_clear_again(context, event, told.epoch));
    auto held = co_await parts_.lines.take_newest(context, event, levers);
    if (!held && held.error().code() == Code::QUEUE_RECOVERING) // lost once more
        co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
    if (!held) co_return fail(std::move(held).error());
    Hall& of = hall(event);
    const Levers newer = newest(of.levers, *held); // answers may come in another order
    if (of.levers != newer) of.levers_told = {};
    of.levers = newer;
    co_return Result<void>{};
}

// The store was lost before the waiting room had heard of the clear.
Task<Result<void>> Service::take_clear_again(Context context, EventId event, std::uint64_t epoch) {
    const auto cleared = co_await parts_.lines.clear_again(context, generation_, event, epoch);
    if (!cleared && cleared.error().code() == Code::QUEUE_RECOVERING)
        co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
    if (!cleared) co_return fail(cleared.error().clone());
    Hall& of = hall(event);
    if (cleared->epoch != epoch || of.epoch >= epoch) co_return Result<void>{};
    take_clear(of, *cleared);
    co_return Result<void>{};
}

Task<Result<void>> Service::take_begun(Context context, HallBegun told, MessageId message) {
    // Memory first: what it awaits is not read from the store while it is noted there.
    const auto facts = parts_.events.find(told.event);
    const bool is_gone = !facts && facts.error().code() == Code::NOT_FOUND;
    if (!is_gone && (!facts || !co_await know(context, told.event, *facts)))
        co_return fail(Error(Code::UNAVAILABLE).retry_after(2));
    TRY(co_await parts_.lines.note_awaited(context, told.event, message));
    Hall& of = hall(told.event);
    if (of.awaits == message) of.awaits = {};
    co_return Result<void>{};
}

void Service::take_rebuilt(const EventId& event, const AccountId& account,
                           const std::optional<Member>& member) {
    if (!member) return;
    metrics_.rebuilt.add();
    Hall& of = hall(event);
    if (member->state == MemberState::ended) {
        if (member->until > now()) parts_.revoked.revoke(event, member->entry, member->until);
        of.line.end(account);
    } else if (of.known) { // otherwise it is read with the rest of the line
        of.line.restore(account, *member);
    }
}

} // namespace urr::queue
