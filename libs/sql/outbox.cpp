#include "libs/sql/outbox.hpp"

namespace urr {

namespace {

constexpr Statement next_seq{"INSERT INTO outbox_key (key, seq) VALUES (?1, 1) "
                             "ON CONFLICT (key) DO UPDATE SET seq = outbox_key.seq + 1"};
constexpr Statement insert_event{
    "INSERT INTO outbox (id, topic, type, version, occurred_us, key, seq, traceparent, data) "
    "SELECT ?1, ?2, ?3, ?4, ?5, key, seq, ?7, ?8 FROM outbox_key WHERE key = ?6"};
constexpr Statement insert_first_events{
    "WITH given AS MATERIALIZED (SELECT unnest(?1::bytea[]) AS id, unnest(?2::bytea[]) AS key, "
    "unnest(?3::text[]) AS data), numbered AS (INSERT INTO outbox_key (key, seq) SELECT key, 1 "
    "FROM "
    "given) "
    "INSERT INTO outbox (id, topic, type, version, occurred_us, key, seq, traceparent, data) "
    "SELECT id, ?4, ?5, ?6, ?7, key, 1, '', data FROM given"};
constexpr Statement insert_inbox{"INSERT INTO inbox (consumer, id, received_us) "
                                 "VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
constexpr Statement prune{"DELETE FROM inbox WHERE (consumer, id) IN "
                          "(SELECT consumer, id FROM inbox WHERE received_us < ?1 LIMIT ?2)"};

} // namespace

AppendedEvent append_later(Tx& tx, const MessageId& id, const OutboxEvent& event) {
    tx.has_events = true;
    return {tx.run(next_seq, {event.key}),
            tx.run(insert_event, {id, event.topic, event.type, event.version, tx.now, event.key,
                                  event.traceparent, event.data})};
}

Task<Result<void>> append_event(Tx& tx, MessageId id, OutboxEvent event) {
    AppendedEvent appended = append_later(tx, id, event);
    TRY(co_await appended.numbered.with(appended.put));
    co_return Result<void>{};
}

Query append_first_events(Tx& tx, std::string_view topic, std::string_view type, int version,
                          FirstEvents& events) {
    tx.has_events = true;
    return tx.run(insert_first_events,
                  {events.ids, events.keys, events.data, topic, type, version, tx.now});
}

Query note_message(Tx& tx, std::string_view consumer, const MessageId& id) {
    return tx.run(insert_inbox, {consumer, id, tx.now});
}

Task<Result<bool>> first_time(Tx& tx, std::string_view consumer, MessageId id) {
    co_return TRY(co_await note_message(tx, consumer, id)).changes() == 1;
}

Task<Result<std::int64_t>> prune_inbox(Tx& tx, Instant before, std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(prune, {before, most}));
    co_return rows.changes();
}

} // namespace urr
