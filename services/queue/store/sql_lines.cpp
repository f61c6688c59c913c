#include "services/queue/store/sql_lines.hpp"

namespace urr::queue {

namespace {

constexpr auto open_work = [](Tx& tx, GenerationId fresh, MessageId message) {
    return open_generation(tx, fresh, message);
};
constexpr auto note_log_read_work = [](Tx& tx) { return write_log_read(tx); };
constexpr auto line_work = [](Tx& tx, EventId event) { return read_line(tx, event); };
constexpr auto member_work = [](Tx& tx, EventId event, AccountId account) {
    return read_member(tx, event, account);
};
constexpr auto hall_work = [](Tx& tx, EventId event) { return read_hall(tx, event); };
constexpr auto begin_hall_work = [](Tx& tx, EventId event, const HallRecord& record) {
    return write_hall(tx, event, record);
};
constexpr auto note_seen_work = [](Tx& tx, EventId event, RoomSeen seen) {
    return write_seen(tx, event, seen);
};
constexpr auto raise_epoch_work = [](Tx& tx, EventId event, std::uint64_t epoch) {
    return queue::raise_epoch(tx, event, epoch);
};
constexpr auto pull_work = [](Tx& tx, const Act& act) { return write_levers(tx, act); };
constexpr auto newest_work = [](Tx& tx, EventId event, const Levers& others) {
    return write_newest_levers(tx, event, others);
};
constexpr auto tell_levers_work = [](Tx& tx, GenerationId generation, EventId event,
                                     MessageId message) {
    return queue::tell_levers(tx, generation, event, message);
};
constexpr auto awaited_work = [](Tx& tx, EventId event, MessageId message) {
    return write_awaited(tx, event, message);
};
constexpr auto clear_again_work = [](Tx& tx, GenerationId generation, EventId event,
                                     std::uint64_t epoch) {
    return write_clear_again(tx, generation, event, epoch);
};
constexpr auto clear_work = [](Tx& tx, const Act& act, std::uint64_t epoch) {
    return write_clear(tx, act, epoch);
};
constexpr auto acts_work = [](Tx& tx, EventId event, std::int64_t most) {
    return read_acts(tx, event, most);
};
constexpr auto join_work = [](Tx& tx, const Join& join) { return write_join(tx, join); };
constexpr auto retake_work = [](Tx& tx, const Retake& retake) { return write_retake(tx, retake); };
constexpr auto fetched_work = [](Tx& tx, EventId event, AccountId account, IdBytes entry) {
    return write_fetched(tx, event, account, entry);
};
constexpr auto give_back_work = [](Tx& tx, GenerationId generation, EventId event,
                                   AccountId account, IdBytes entry, MessageId message) {
    return write_return(tx, generation, event, account, entry, message);
};
constexpr auto end_work = [](Tx& tx, GenerationId generation, EventId event, AccountId account,
                             EndReason reason, MessageId message) {
    return write_end(tx, generation, event, account, reason, message);
};
constexpr auto expire_work = [](Tx& tx, GenerationId generation, EventId event, AccountId account,
                                IdBytes entry, MessageId message) {
    return write_expired(tx, generation, event, account, entry, message);
};
constexpr auto purchase_work = [](Tx& tx, GenerationId generation, EventId event, AccountId account,
                                  Instant bought, MessageId seen, MessageId message) {
    return write_purchase(tx, generation, event, account, bought, seen, message);
};
constexpr auto admit_work = [](Tx& tx, GenerationId generation, EventId event,
                               const std::vector<Admission>& admitted,
                               const std::vector<MessageId>& messages) {
    return write_admissions(tx, generation, event, admitted, messages);
};
constexpr auto admitted_work = [](Tx& tx, MessageId seen, const EntryAdmitted& told,
                                  Place end_of_line, Telling end) {
    return rebuild_admitted(tx, seen, told, end_of_line, end);
};
constexpr auto returned_work = [](Tx& tx, MessageId seen, const EntryReturned& told) {
    return rebuild_returned(tx, seen, told);
};
constexpr auto ended_work = [](Tx& tx, MessageId seen, const EntryEnded& told, Place end_of_line) {
    return rebuild_ended(tx, seen, told, end_of_line);
};

} // namespace

LineStore::Step<Generation> SqlLines::open(Context context, GenerationId fresh, MessageId message) {
    co_return co_await database_.transact(context, open_work, fresh, message);
}

LineStore::Step<bool> SqlLines::note_log_read(Context context) {
    co_return co_await database_.transact(context, note_log_read_work);
}

LineStore::Step<std::vector<StoredMember>> SqlLines::line(Context context, EventId event) {
    co_return co_await database_.read(context, line_work, event);
}

LineStore::Step<std::optional<Member>> SqlLines::member(Context context, EventId event,
                                                        AccountId account) {
    co_return co_await database_.transact(context, member_work, event, account);
}

LineStore::Step<std::optional<HallRecord>> SqlLines::hall(Context context, EventId event) {
    co_return co_await database_.read(context, hall_work, event);
}

LineStore::Step<HallRecord> SqlLines::begin_hall(Context context, EventId event,
                                                 HallRecord record) {
    co_return co_await database_.transact(context, begin_hall_work, event, std::move(record));
}

LineStore::Step<bool> SqlLines::note_seen(Context context, EventId event, RoomSeen seen) {
    co_return co_await database_.transact(context, note_seen_work, event, seen);
}

LineStore::Step<std::uint64_t> SqlLines::raise_epoch(Context context, EventId event,
                                                     std::uint64_t epoch) {
    co_return co_await database_.transact(context, raise_epoch_work, event, epoch);
}

LineStore::Step<Levers> SqlLines::pull(Context context, Act act) {
    co_return co_await database_.transact(context, pull_work, std::move(act));
}

LineStore::Step<Levers> SqlLines::take_newest(Context context, EventId event, Levers others) {
    co_return co_await database_.transact(context, newest_work, event, std::move(others));
}

LineStore::Step<bool> SqlLines::tell_levers(Context context, GenerationId generation, EventId event,
                                            MessageId message) {
    co_return co_await database_.transact(context, tell_levers_work, generation, event, message);
}

LineStore::Step<bool> SqlLines::note_awaited(Context context, EventId event, MessageId message) {
    co_return co_await database_.transact(context, awaited_work, event, message);
}

LineStore::Step<Cleared> SqlLines::clear_again(Context context, GenerationId generation,
                                               EventId event, std::uint64_t epoch) {
    co_return co_await database_.transact(context, clear_again_work, generation, event, epoch);
}

LineStore::Step<Cleared> SqlLines::clear(Context context, Act act, std::uint64_t epoch) {
    co_return co_await database_.transact(context, clear_work, std::move(act), epoch);
}

LineStore::Step<std::vector<DoneAct>> SqlLines::acts(Context context, EventId event,
                                                     std::int64_t most) {
    co_return co_await database_.read(context, acts_work, event, most);
}

LineStore::Step<Joined> SqlLines::join(Context context, Join join) {
    co_return co_await database_.transact(context, join_work, std::move(join));
}

LineStore::Step<std::optional<Member>> SqlLines::retake(Context context, Retake retake) {
    co_return co_await database_.transact(context, retake_work, std::move(retake));
}

LineStore::Step<bool> SqlLines::fetched(Context context, EventId event, AccountId account,
                                        IdBytes entry) {
    co_return co_await database_.transact(context, fetched_work, event, account, entry);
}

LineStore::Step<bool> SqlLines::give_back(Context context, GenerationId generation, EventId event,
                                          AccountId account, IdBytes entry, MessageId message) {
    co_return co_await database_.transact(context, give_back_work, generation, event, account,
                                          entry, message);
}

LineStore::Step<Ended> SqlLines::end(Context context, GenerationId generation, EventId event,
                                     AccountId account, EndReason reason, MessageId message) {
    co_return co_await database_.transact(context, end_work, generation, event, account, reason,
                                          message);
}

LineStore::Step<Ended> SqlLines::expire(Context context, GenerationId generation, EventId event,
                                        AccountId account, IdBytes entry, MessageId message) {
    co_return co_await database_.transact(context, expire_work, generation, event, account, entry,
                                          message);
}

LineStore::Step<Ended> SqlLines::purchase(Context context, GenerationId generation, EventId event,
                                          AccountId account, Instant bought, MessageId seen,
                                          MessageId message) {
    co_return co_await database_.transact(context, purchase_work, generation, event, account,
                                          bought, seen, message);
}

LineStore::Step<std::vector<Admission>> SqlLines::admit(Context context, GenerationId generation,
                                                        EventId event, Rules,
                                                        std::vector<Admission> admitted,
                                                        std::vector<MessageId> messages) {
    co_return co_await database_.transact(context, admit_work, generation, event,
                                          std::move(admitted), std::move(messages));
}

LineStore::Step<std::optional<Member>> SqlLines::rebuild(Context context, MessageId seen,
                                                         EntryAdmitted told, Place end_of_line,
                                                         Telling end) {
    co_return co_await database_.transact(context, admitted_work, seen, std::move(told),
                                          end_of_line, end);
}

LineStore::Step<std::optional<Member>> SqlLines::rebuild(Context context, MessageId seen,
                                                         EntryReturned told) {
    co_return co_await database_.transact(context, returned_work, seen, std::move(told));
}

LineStore::Step<std::optional<Member>> SqlLines::rebuild(Context context, MessageId seen,
                                                         EntryEnded told, Place end_of_line) {
    co_return co_await database_.transact(context, ended_work, seen, std::move(told), end_of_line);
}

} // namespace urr::queue
