#include "libs/messaging/parking.hpp"

namespace urr {

namespace {

constexpr Statement put_key{"INSERT INTO parked_key (grp, topic, key) VALUES (?1, ?2, ?3) "
                            "ON CONFLICT (grp, topic, key) DO UPDATE SET key = excluded.key"};
constexpr Statement hold_key{
    "UPDATE parked_key SET key = ?3 WHERE grp = ?1 AND topic = ?2 AND key = ?3"};
constexpr Statement put_message{
    "INSERT INTO parked_message (grp, topic, id, type, version, occurred_us, key, seq, "
    "traceparent, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
    "ON CONFLICT (grp, topic, id) DO NOTHING"};
constexpr Statement keys_of{"SELECT key FROM parked_key WHERE grp = ?1 AND topic = ?2"};
constexpr Statement messages_of{
    "SELECT position, topic, id, type, version, occurred_us, key, seq, traceparent, data "
    "FROM parked_message WHERE grp = ?1 AND position > ?2 ORDER BY position LIMIT ?3"};
constexpr Statement take_message{"DELETE FROM parked_message WHERE position = ?1"};
constexpr Statement take_key{
    "DELETE FROM parked_key WHERE grp = ?1 AND topic = ?2 AND key = ?3 AND NOT EXISTS "
    "(SELECT 1 FROM parked_message m WHERE m.grp = ?1 AND m.topic = ?2 AND m.key = ?3)"};
constexpr Statement number{"SELECT count(*) FROM parked_message"};

Task<Result<bool>> put(Tx& tx, const std::string& group, const Message& m) {
    TRY(co_await tx.run(put_message, {group, m.topic, m.id, m.type, m.version, m.occurred, m.key,
                                      m.seq, m.traceparent, m.data}));
    co_return true;
}

} // namespace

Task<Result<bool>> park_whole(Tx& tx, const std::string& group, const Message& message) {
    TRY(co_await tx.run(put_key, {group, message.topic, message.key}));
    co_return co_await put(tx, group, message);
}

Task<Result<bool>> park_whole_behind(Tx& tx, const std::string& group, const Message& message) {
    const Rows held = TRY(co_await tx.run(hold_key, {group, message.topic, message.key}));
    if (held.changes() == 0) co_return false;
    co_return co_await put(tx, group, message);
}

Task<Result<std::vector<IdBytes>>> find_parked_keys(Tx& tx, const std::string& group,
                                                    const std::string& topic) {
    const Rows rows = TRY(co_await tx.run(keys_of, {group, topic}));
    std::vector<IdBytes> keys;
    for (std::size_t i = 0; i < rows.size(); ++i)
        keys.push_back(Id<void>::from(rows.bytes(i, 0)).bytes);
    co_return keys;
}

Task<Result<std::vector<Logged>>> fetch_parked_whole(Tx& tx, const std::string& group,
                                                     std::int64_t after, int most) {
    const Rows rows = TRY(co_await tx.run(messages_of, {group, after, most}));
    std::vector<Logged> messages(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        messages[i].position = rows.integer(i, 0);
        messages[i].message = {
            rows.id<MessageId>(i, 2), std::string(rows.text(i, 1)), std::string(rows.text(i, 3)),
            int(rows.integer(i, 4)),  rows.instant(i, 5),           rows.id<Id<void>>(i, 6).bytes,
            rows.integer(i, 7),       std::string(rows.text(i, 8)), std::string(rows.text(i, 9))};
    }
    co_return messages;
}

Task<Result<bool>> unpark_whole(Tx& tx, const std::string& group, const Logged& parked) {
    const Message& message = parked.message;
    TRY(co_await tx.run(hold_key, {group, message.topic, message.key}));
    const Rows taken = TRY(co_await tx.run(take_message, {parked.position}));
    TRY(co_await tx.run(take_key, {group, message.topic, message.key}));
    co_return taken.changes() == 1;
}

Task<Result<std::int64_t>> count_parked_whole(Tx& tx) {
    co_return TRY(co_await tx.run(number)).integer(0, 0);
}

} // namespace urr
