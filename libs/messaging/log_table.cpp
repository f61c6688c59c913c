#include "libs/messaging/log_table.hpp"

namespace urr {

namespace {

constexpr Statement insert{
    "INSERT INTO event_log (topic, id, type, version, occurred_us, key, seq, traceparent, data) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"};
// Readers go on from the last position that they saw: positions must become visible in their order.
// (The number is any that nobody else locks in this database.)
constexpr Statement append_alone{"SELECT 1", "SELECT 1 FROM pg_advisory_xact_lock(7697011)"};
constexpr Statement position_of{
    "SELECT position FROM group_position WHERE topic = ?1 AND grp = ?2"};
constexpr Statement parked_keys{"SELECT DISTINCT key FROM parked WHERE grp = ?1 AND topic = ?2"};
constexpr Statement fetch{
    "SELECT position, topic, id, type, version, occurred_us, key, seq, traceparent, data "
    "FROM event_log WHERE topic = ?1 AND position > ?2 ORDER BY position LIMIT ?3"};
constexpr Statement put_group{
    "INSERT INTO group_position (topic, grp, position) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING"};
// No row is made here: a group that is gone does not come back by what it still had under way.
constexpr Statement put_position{
    "UPDATE group_position SET position = ?3 WHERE topic = ?1 AND grp = ?2"};
constexpr Statement groups_of{"SELECT grp FROM group_position WHERE topic = ?1"};
constexpr Statement drop_group{"DELETE FROM group_position WHERE topic = ?1 AND grp = ?2"};
constexpr Statement drop_parked{"DELETE FROM parked WHERE topic = ?1 AND grp = ?2"};
constexpr Statement park{"INSERT INTO parked (grp, topic, position, key) VALUES (?1, ?2, ?3, ?4) "
                         "ON CONFLICT (grp, position) DO UPDATE SET key = excluded.key"};
constexpr Statement park_if_parked{
    "INSERT INTO parked (grp, topic, position, key) SELECT ?1, ?2, ?3, ?4 WHERE EXISTS "
    "(SELECT 1 FROM parked WHERE grp = ?1 AND topic = ?2 AND key = ?4) "
    "ON CONFLICT (grp, position) DO UPDATE SET key = excluded.key"};
constexpr Statement all_parked{
    "SELECT e.position, e.topic, e.id, e.type, e.version, e.occurred_us, e.key, e.seq, "
    "e.traceparent, e.data FROM parked p JOIN event_log e ON e.position = p.position "
    "WHERE p.grp = ?1 AND p.position > ?2 ORDER BY p.position LIMIT ?3"};
constexpr Statement number_parked{"SELECT count(*) FROM parked"};
constexpr Statement unpark{"DELETE FROM parked WHERE grp = ?1 AND position = ?2"};
// A topic that nobody has listened to yet is no reason to keep anything.
constexpr Statement prune{
    "DELETE FROM event_log WHERE position IN (SELECT e.position FROM event_log e "
    "WHERE e.occurred_us < ?1 AND e.position <= (SELECT coalesce(min(g.position), e.position) "
    "FROM group_position g WHERE g.topic = e.topic) "
    "AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.position = e.position) LIMIT ?2)"};

IdBytes key_of(std::span<const unsigned char> bytes) { return Id<void>::from(bytes).bytes; }

std::vector<Logged> logged(const Rows& rows) {
    std::vector<Logged> messages(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        messages[i].position = rows.integer(i, 0);
        messages[i].message = {
            rows.id<MessageId>(i, 2), std::string(rows.text(i, 1)), std::string(rows.text(i, 3)),
            int(rows.integer(i, 4)),  rows.instant(i, 5),           key_of(rows.bytes(i, 6)),
            rows.integer(i, 7),       std::string(rows.text(i, 8)), std::string(rows.text(i, 9))};
    }
    return messages;
}

} // namespace

Task<Result<bool>> append_to_log(Tx& tx, const std::vector<Message>& messages) {
    TRY(co_await tx.run(append_alone));
    for (const Message& m : messages)
        TRY(co_await tx.run(insert, {m.topic, m.id, m.type, m.version, m.occurred, m.key, m.seq,
                                     m.traceparent, m.data}));
    co_return true;
}

Task<Result<GroupStart>> begin_group(Tx& tx, const std::string& topic, const std::string& group) {
    GroupStart start;
    TRY(co_await tx.run(put_group, {topic, group}));
    const Rows position = TRY(co_await tx.run(position_of, {topic, group}));
    if (!position.empty()) start.position = position.integer(0, 0);
    const Rows keys = TRY(co_await tx.run(parked_keys, {group, topic}));
    for (std::size_t i = 0; i < keys.size(); ++i) start.parked.push_back(key_of(keys.bytes(i, 0)));
    co_return start;
}

Task<Result<std::vector<Logged>>> fetch_after(Tx& tx, const std::string& topic,
                                              std::int64_t position, int most) {
    co_return logged(TRY(co_await tx.run(fetch, {topic, position, most})));
}

Task<Result<bool>> set_position(Tx& tx, const std::string& topic, const std::string& group,
                                std::int64_t position) {
    co_return TRY(co_await tx.run(put_position, {topic, group, position})).changes() == 1;
}

Task<Result<std::int64_t>> replace_groups(Tx& tx, const std::string& topic,
                                          const std::string& group, const std::string& family) {
    TRY(co_await tx.run(put_group, {topic, group}));
    const Rows rows = TRY(co_await tx.run(groups_of, {topic}));
    std::int64_t gone = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string other(rows.text(i, 0));
        if (other == group || !other.starts_with(family)) continue;
        TRY(co_await tx.run(drop_group, {topic, other}));
        TRY(co_await tx.run(drop_parked, {topic, other}));
        ++gone;
    }
    co_return gone;
}

Task<Result<bool>> park_message(Tx& tx, const std::string& topic, const std::string& group,
                                std::int64_t position, IdBytes key) {
    TRY(co_await tx.run(park, {group, topic, position, key}));
    co_return true;
}

Task<Result<bool>> park_behind(Tx& tx, const std::string& topic, const std::string& group,
                               std::int64_t position, IdBytes key) {
    const Rows rows = TRY(co_await tx.run(park_if_parked, {group, topic, position, key}));
    co_return rows.changes() == 1;
}

Task<Result<std::vector<Logged>>> fetch_parked(Tx& tx, const std::string& group, std::int64_t after,
                                               int most) {
    co_return logged(TRY(co_await tx.run(all_parked, {group, after, most})));
}

Task<Result<std::int64_t>> count_parked(Tx& tx) {
    co_return TRY(co_await tx.run(number_parked)).integer(0, 0);
}

Task<Result<bool>> unpark_message(Tx& tx, const std::string& group, std::int64_t position) {
    TRY(co_await tx.run(unpark, {group, position}));
    co_return true;
}

Task<Result<std::int64_t>> prune_log(Tx& tx, Instant before, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(prune, {before, most}));
    co_return rows.changes();
}

} // namespace urr
