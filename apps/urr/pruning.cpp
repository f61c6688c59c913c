#include "apps/urr/pruning.hpp"

#include "libs/sql/idempotency.hpp"
#include "libs/sql/outbox.hpp"

namespace urr::app {

namespace {

constexpr std::int64_t rows_at_once = 1000; // so that a sale does not wait behind it
constexpr int pieces_max = 1000;            // per round
constexpr Duration round_interval = minutes(1);

constexpr auto answers_work = [](Tx& tx) { return prune_answers(tx, rows_at_once); };
constexpr auto inbox_work = [](Tx& tx, Duration kept) {
    return prune_inbox(tx, tx.now - kept, rows_at_once);
};

void complain(Log& log, std::string_view store, const Error& error) {
    log.write(Level::warning, "pruning_failed", {{"store", store}, {"error", error.text()}});
}

Task<> prune_store(Pruned& what, std::string_view name, Database& database) {
    const Duration inbox_kept = what.events_kept + hours(24);
    for (int piece = 0; piece < pieces_max; ++piece) {
        const auto answers = co_await database.transact(Context{}, answers_work);
        const auto inbox = co_await database.transact(Context{}, inbox_work, inbox_kept);
        if (!answers) co_return complain(what.log, name, answers.error());
        if (!inbox) co_return complain(what.log, name, inbox.error());
        if (*answers < rows_at_once && *inbox < rows_at_once) co_return;
    }
}

} // namespace

Task<> prune(Pruned& what) {
    what.revoked.prune(what.clock.now());
    for (const auto& [name, database] : what.stores) co_await prune_store(what, name, *database);
    for (int piece = 0; piece < pieces_max; ++piece) {
        const auto gone = co_await what.events.prune(Context{}, what.events_kept);
        if (!gone) co_return complain(what.log, "events", gone.error());
        if (*gone < rows_at_once) co_return;
    }
}

Task<> keep_pruned(Pruned& what) {
    for (;;) {
        co_await prune(what);
        (void)co_await sleep(Context{}, round_interval);
    }
}

} // namespace urr::app
