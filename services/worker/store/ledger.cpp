#include "services/worker/store/ledger.hpp"

#include <algorithm>
#include <set>

#include "libs/sql/array.hpp"

namespace urr::worker {

namespace {

constexpr Statement begin_chain{
    "INSERT INTO chains (event, records, head) VALUES (?1, 0, ?2) ON CONFLICT (event) DO NOTHING",
    "INSERT INTO evidence.chains (event, records, head) VALUES (?1, 0, ?2) "
    "ON CONFLICT (event) DO NOTHING"};
constexpr Statement lock_chain{
    "SELECT records, head FROM chains WHERE event = ?1",
    "SELECT records, head FROM evidence.chains WHERE event = ?1 FOR UPDATE"};
constexpr Statement grow_chain{"UPDATE chains SET records = ?2, head = ?3 WHERE event = ?1",
                               "UPDATE evidence.chains SET records = ?2, head = ?3 "
                               "WHERE event = ?1"};
constexpr Statement find_last{
    "SELECT position, hash FROM records WHERE event = ?1 ORDER BY position DESC LIMIT 1",
    "SELECT position, hash FROM evidence.records WHERE event = ?1 ORDER BY position DESC LIMIT 1"};
constexpr Statement find_source{
    "SELECT next FROM sources WHERE event = ?1 AND source = ?2 AND generation = ?3",
    "SELECT next FROM evidence.sources WHERE event = ?1 AND source = ?2 AND generation = ?3"};
constexpr Statement find_newer{
    "SELECT 1 FROM sources WHERE event = ?1 AND source = ?2 AND generation > ?3 LIMIT 1",
    "SELECT 1 FROM evidence.sources WHERE event = ?1 AND source = ?2 AND generation > ?3 LIMIT 1"};
#define PUT_SOURCE(table)                                                                          \
    "INSERT INTO " table " AS s (event, source, generation, next, stopped_us) "                    \
    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (event, source, generation) DO UPDATE SET "           \
    "next = excluded.next, stopped_us = CASE WHEN excluded.stopped_us = 0 THEN 0 "                 \
    "WHEN s.stopped_us = 0 THEN excluded.stopped_us ELSE s.stopped_us END"
constexpr Statement put_source{PUT_SOURCE("sources"), PUT_SOURCE("evidence.sources")};
#undef PUT_SOURCE
constexpr Statement find_known{"SELECT 1 FROM records WHERE event = ?1 AND id = ?2",
                               "SELECT 1 FROM evidence.records WHERE event = ?1 AND id = ?2"};
constexpr Statement find_many_known{"SELECT id FROM evidence.records WHERE event = ?1 "
                                    "AND id = ANY(?2::bytea[])"};
constexpr Statement put_record{
    "INSERT INTO records (event, position, source, generation, number, id, record, hash, "
    "written_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"};
constexpr Statement put_many_records{
    "INSERT INTO evidence.records (event, position, source, generation, number, id, record, hash, "
    "written_us) SELECT ?1, position, ?2, ?3, number, id, record, hash, ?4 FROM "
    "unnest(?5::bigint[], ?6::bigint[], ?7::bytea[], ?8::text[], "
    "?9::bytea[]) AS q(position, number, id, record, hash)"};
// What an older generation waits for does not come once its source has begun another.
#define WAITING(table)                                                                             \
    "FROM " table " s WHERE s.stopped_us > 0 AND NOT EXISTS (SELECT 1 FROM " table " newer "       \
    "WHERE newer.event = s.event AND newer.source = s.source AND newer.generation > s.generation)"
constexpr Statement count_waiting{"SELECT count(DISTINCT s.event) " WAITING("sources"),
                                  "SELECT count(DISTINCT s.event) " WAITING("evidence.sources")};
constexpr Statement find_stopped{
    "SELECT s.source, s.next, s.stopped_us " WAITING("sources") " AND s.event = ?1",
    "SELECT s.source, s.next, s.stopped_us " WAITING("evidence.sources") " AND s.event = ?1"};
#undef WAITING
constexpr Statement find_chains{"SELECT event, records, head FROM chains ORDER BY event",
                                "SELECT event, records, head FROM evidence.chains ORDER BY event"};
constexpr Statement find_links{
    "SELECT position, source, generation, number, record, hash FROM records "
    "WHERE event = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
    "SELECT position, source, generation, number, record, hash FROM evidence.records "
    "WHERE event = ?1 AND position > ?2 ORDER BY position LIMIT ?3"};

Digest digest_of(const Rows& rows, std::size_t row, std::size_t column) {
    Digest digest{};
    const auto bytes = rows.bytes(row, column);
    if (bytes.size() == digest.size()) std::ranges::copy(bytes, digest.begin());
    return digest;
}

Value value_of(const Digest& digest) { return std::span<const unsigned char>(digest); }

// Which records of the batch stand in the chain already.
Task<Result<std::set<MessageId>>> find_there(Tx& tx, const Batch& batch, bool takes_arrays) {
    std::set<MessageId> there;
    if (takes_arrays) {
        BytesArray ids;
        for (const BatchRecord& record : batch.records) ids.add(record.id);
        const Rows rows = TRY(co_await tx.run(find_many_known, {batch.event, ids}));
        for (std::size_t i = 0; i < rows.size(); ++i) there.insert(rows.id<MessageId>(i, 0));
        co_return there;
    }
    for (const BatchRecord& record : batch.records)
        if (!TRY(co_await tx.run(find_known, {batch.event, record.id})).empty())
            there.insert(record.id);
    co_return there;
}

// What the batch adds to its chain.
struct Growth {
    struct Row {
        std::int64_t position, number;
        const BatchRecord* record;
        Digest hash;
    };
    std::vector<Row> rows;
    std::int64_t length = 0;
    Digest head{};
};

// Records that are told twice, with new numbers, are passed over.
Growth grow(const Batch& batch, std::int64_t expected, std::set<MessageId> there, Growth from) {
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
        const std::int64_t number = batch.first + std::int64_t(i);
        const BatchRecord& record = batch.records[i];
        if (number < expected || !there.insert(record.id).second) continue;
        from.head = next_hash(from.head,
                              {++from.length, batch.source, batch.generation, number, record.line});
        from.rows.push_back({from.length, number, &record, from.head});
    }
    return from;
}

Task<Result<bool>> put_rows(Tx& tx, const Batch& batch, const Growth& growth, bool takes_arrays) {
    if (!takes_arrays) {
        for (const Growth::Row& row : growth.rows)
            TRY(co_await tx.run(put_record, {batch.event, row.position, batch.source,
                                             batch.generation, row.number, row.record->id,
                                             row.record->line, value_of(row.hash), tx.now}));
        co_return true;
    }
    IntegerArray positions, numbers;
    BytesArray ids, hashes;
    TextArray lines;
    for (const Growth::Row& row : growth.rows) {
        positions.add(row.position);
        numbers.add(row.number);
        ids.add(row.record->id);
        lines.add(row.record->line);
        hashes.add(std::span<const unsigned char>(row.hash));
    }
    TRY(co_await tx.run(put_many_records, {batch.event, batch.source, batch.generation, tx.now,
                                           positions, numbers, ids, lines, hashes}));
    co_return true;
}

// Numbers that were written before must be of the same records.
bool is_forked(const Batch& batch, std::int64_t expected, const std::set<MessageId>& there) {
    for (std::size_t i = 0; i < batch.records.size(); ++i)
        if (batch.first + std::int64_t(i) < expected && !there.contains(batch.records[i].id))
            return true;
    return false;
}

// Is there nothing of the batch that the chain waits for? Its numbers have passed, or nothing comes
// by them any more: its source has begun another generation and told all it has by that.
Task<Result<bool>> is_past(Tx& tx, const Batch& batch, std::int64_t expected) {
    if (batch.first + std::ssize(batch.records) <= expected) co_return true;
    if (batch.first <= expected) co_return false;
    co_return !TRY(co_await tx.run(find_newer, {batch.event, batch.source, batch.generation}))
        .empty();
}

// The last record is the one that the chain ends with, and none stands behind it.
bool is_sound(const Rows& last, std::int64_t length, const Digest& head, const Digest& begin) {
    if (last.empty()) return length == 0 && head == begin;
    return last.integer(0, 0) == length && digest_of(last, 0, 1) == head;
}

} // namespace

Task<Result<Written>> write_batch(Tx& tx, const Batch& batch, bool takes_arrays) {
    const EventId& event = batch.event;
    const Digest begin = first_hash(event);
    TRY(co_await tx.run(begin_chain, {event, value_of(begin)}));
    const Rows chain = TRY(co_await tx.run(lock_chain, {event}));
    const Rows source = TRY(co_await tx.run(find_source, {event, batch.source, batch.generation}));
    if (chain.empty()) co_return fail(Code::INTERNAL, "a chain that was begun is not there");
    Growth growth{{}, chain.integer(0, 0), digest_of(chain, 0, 1)};
    Written out;
    out.expected = source.empty() ? 1 : source.integer(0, 0);
    const Rows last = TRY(co_await tx.run(find_last, {event}));
    const std::set<MessageId> there = TRY(co_await find_there(tx, batch, takes_arrays));
    const std::int64_t next = batch.first + std::ssize(batch.records);
    const bool all_known = std::ranges::all_of(
        batch.records, [&](const BatchRecord& record) { return there.contains(record.id); });
    out.known = std::ssize(batch.records);
    if (all_known && TRY(co_await is_past(tx, batch, out.expected))) co_return out;
    if (!is_sound(last, growth.length, growth.head, begin))
        out.outcome = Outcome::broken;
    else if (batch.first > out.expected)
        out.outcome = Outcome::gap;
    else if (is_forked(batch, out.expected, there))
        out.outcome = Outcome::conflict;
    if (out.outcome != Outcome::written) {
        TRY(co_await tx.run(put_source,
                            {event, batch.source, batch.generation, out.expected, tx.now}));
        co_return out;
    }
    growth = grow(batch, out.expected, there, std::move(growth));
    out.records = std::ssize(growth.rows);
    out.known = std::ssize(batch.records) - out.records;
    out.length = growth.length;
    out.head = growth.head;
    TRY(co_await put_rows(tx, batch, growth, takes_arrays));
    TRY(co_await tx.run(grow_chain, {event, growth.length, value_of(growth.head)}));
    TRY(co_await tx.run(put_source, {event, batch.source, batch.generation, next, 0}));
    out.expected = next;
    co_return out;
}

Task<Result<std::int64_t>> count_stopped(Tx& tx) {
    co_return TRY(co_await tx.run(count_waiting)).integer(0, 0);
}

Task<Result<std::vector<Chain>>> all_chains(Tx& tx) {
    const Rows rows = TRY(co_await tx.run(find_chains));
    std::vector<Chain> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
        all.push_back({rows.id<EventId>(i, 0), rows.integer(i, 1), digest_of(rows, i, 2)});
    co_return all;
}

Task<Result<std::vector<Stopped>>> stopped_sources(Tx& tx, EventId event) {
    const Rows rows = TRY(co_await tx.run(find_stopped, {event}));
    std::vector<Stopped> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
        all.push_back({std::string(rows.text(i, 0)), rows.integer(i, 1), rows.instant(i, 2)});
    co_return all;
}

Task<Result<std::vector<Kept>>> read_chain(Tx& tx, EventId event, std::int64_t after,
                                           std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(find_links, {event, after, most}));
    std::vector<Kept> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
        all.push_back(
            {{rows.integer(i, 0), std::string(rows.text(i, 1)), rows.id<EvidenceGeneration>(i, 2),
              rows.integer(i, 3), std::string(rows.text(i, 4))},
             digest_of(rows, i, 5)});
    co_return all;
}

} // namespace urr::worker
