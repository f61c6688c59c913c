#include "services/queue/store/pruning.hpp"

namespace urr::queue {

namespace {

constexpr Statement kept_lines{
    "SELECT event FROM halls WHERE EXISTS (SELECT 1 FROM members WHERE members.event = halls.event)"
    " OR EXISTS (SELECT 1 FROM spent_tokens WHERE spent_tokens.event = halls.event)"};
constexpr Statement find_sign{"SELECT 1 FROM members WHERE event = ?1 "
                              "AND (joined_us > ?2 OR until_us > ?2 OR admitted_us > ?2) LIMIT 1"};
constexpr Statement drop_members{"DELETE FROM members WHERE event = ?1 AND account IN "
                                 "(SELECT account FROM members WHERE event = ?1 LIMIT ?2)"};
constexpr Statement drop_tokens{"DELETE FROM spent_tokens WHERE event = ?1 AND token IN "
                                "(SELECT token FROM spent_tokens WHERE event = ?1 LIMIT ?2)"};
constexpr Statement drop_acts{
    "DELETE FROM admin_acts WHERE (event, at_us, id) IN "
    "(SELECT event, at_us, id FROM admin_acts WHERE at_us < ?1 LIMIT ?2)"};

} // namespace

Task<Result<std::vector<EventId>>> lines_kept(Tx& tx) {
    const Rows rows = TRY(co_await tx.run(kept_lines));
    std::vector<EventId> events;
    for (std::size_t i = 0; i < rows.size(); ++i) events.push_back(rows.id<EventId>(i, 0));
    co_return events;
}

Task<Result<bool>> was_quiet_since(Tx& tx, EventId event, Instant since) {
    co_return TRY(co_await tx.run(find_sign, {event, since})).empty();
}

Task<Result<std::int64_t>> prune_line(Tx& tx, EventId event, std::int64_t most) {
    const Rows members = TRY(co_await tx.run(drop_members, {event, most}));
    const Rows tokens = TRY(co_await tx.run(drop_tokens, {event, most}));
    co_return members.changes() + tokens.changes();
}

Task<Result<std::int64_t>> prune_acts(Tx& tx, Instant before, std::int64_t most) {
    co_return TRY(co_await tx.run(drop_acts, {before, most})).changes();
}

} // namespace urr::queue
