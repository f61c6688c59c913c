#include "libs/contract/evidence/outbox.hpp"

#include <map>

namespace urr {

const char* const evidence_tables = R"sql(
-- This life of the numbering: a store that was lost begins another.
CREATE TABLE evidence_source (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation BLOB NOT NULL
);
CREATE TABLE evidence_counts (event BLOB PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
-- Numbered records, a line each. Never changed.
CREATE TABLE evidence_batches (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    event BLOB NOT NULL,
    first INTEGER NOT NULL,
    records INTEGER NOT NULL,
    lines TEXT NOT NULL,
    made_us INTEGER NOT NULL
);
CREATE INDEX evidence_batches_event ON evidence_batches (event, first);
CREATE INDEX evidence_batches_made ON evidence_batches (made_us);
-- Those that wait to be sent. sending: 0, or when an operator asked for it again.
CREATE TABLE evidence_unsent (place INTEGER PRIMARY KEY, sending INTEGER NOT NULL);
)sql";

namespace {

constexpr std::size_t batch_records_max = 500, batch_bytes_max = 100'000;

constexpr Statement count_on{
    "INSERT INTO evidence_counts (event, next) VALUES (?1, 1 + ?2) ON CONFLICT (event) "
    "DO UPDATE SET next = evidence_counts.next + ?2 RETURNING next"};
constexpr Statement put_batch{
    "INSERT INTO evidence_batches (event, first, records, lines, made_us) "
    "VALUES (?1, ?2, ?3, ?4, ?5) RETURNING place"};
constexpr Statement put_unsent{"INSERT INTO evidence_unsent (place, sending) VALUES (?1, 0)"};
constexpr Statement put_unsent_again{
    "INSERT INTO evidence_unsent (place, sending) SELECT place, ?3 FROM evidence_batches "
    "WHERE event = ?1 AND first + records > ?2 ON CONFLICT (place) DO NOTHING"};

constexpr Statement set_generation{
    "INSERT INTO evidence_source (id, generation) VALUES (1, ?1) "
    "ON CONFLICT (id) DO UPDATE SET generation = excluded.generation"};
constexpr Statement forget_counts{"DELETE FROM evidence_counts"};
constexpr Statement find_batches{
    "SELECT place, event, records FROM evidence_batches ORDER BY place"};
constexpr Statement number_batch{"UPDATE evidence_batches SET first = ?2 WHERE place = ?1"};
constexpr Statement put_all_unsent{
    "INSERT INTO evidence_unsent (place, sending) SELECT place, ?1 FROM evidence_batches "
    "WHERE true ON CONFLICT (place) DO NOTHING"};

Task<Result<bool>> seal_event(Tx& tx, const EventId& event, const std::vector<std::string>& lines) {
    const auto count = std::int64_t(lines.size());
    std::int64_t number = TRY(co_await tx.run(count_on, {event, count})).integer(0, 0) - count;
    for (std::size_t from = 0; from < lines.size();) {
        std::size_t to = from;
        std::string text;
        while (to < lines.size() && to - from < batch_records_max &&
               (to == from || text.size() + lines[to].size() <= batch_bytes_max)) {
            if (to > from) text += '\n';
            text += lines[to++];
        }
        const std::size_t records = to - from;
        const Rows put = TRY(co_await tx.run(put_batch, {event, number, records, text, tx.now}));
        TRY(co_await tx.run(put_unsent, {put.integer(0, 0)}));
        number += std::int64_t(records);
        from = to;
    }
    co_return true;
}

} // namespace

Task<Result<bool>> seal_evidence(Tx& tx, std::vector<EvidenceFact> facts) {
    std::map<EventId, std::vector<std::string>> of; // sorted: counts are locked in one order
    for (EvidenceFact& fact : facts) of[fact.event].push_back(std::move(fact.line));
    for (const auto& [event, lines] : of) TRY(co_await seal_event(tx, event, lines));
    co_return true;
}

Task<Result<std::int64_t>> send_evidence_again(Tx& tx, EventId event, std::int64_t from) {
    const Rows rows = TRY(co_await tx.run(put_unsent_again, {event, from, tx.now}));
    co_return rows.changes();
}

Task<Result<std::int64_t>> renew_evidence(Tx& tx, EvidenceGeneration fresh) {
    TRY(co_await tx.run(set_generation, {fresh}));
    TRY(co_await tx.run(forget_counts));
    const Rows batches = TRY(co_await tx.run(find_batches));
    for (std::size_t i = 0; i < batches.size(); ++i) {
        const EventId event = batches.id<EventId>(i, 1);
        const std::int64_t records = batches.integer(i, 2);
        const Rows next = TRY(co_await tx.run(count_on, {event, records}));
        TRY(co_await tx.run(number_batch, {batches.integer(i, 0), next.integer(0, 0) - records}));
    }
    TRY(co_await tx.run(put_all_unsent, {tx.now}));
    co_return std::int64_t(batches.size());
}

} // namespace urr
