#include "services/queue/forgetting.hpp"

#include "services/queue/store/pruning.hpp"

namespace urr::queue {

namespace {

constexpr std::int64_t rows_at_once = 1000;
constexpr int pieces_max = 1000; // per round
constexpr Duration round_interval = minutes(10);

constexpr auto lines_work = [](Tx& tx) { return lines_kept(tx); };
constexpr auto quiet_work = [](Tx& tx, EventId event, Instant since) {
    return was_quiet_since(tx, event, since);
};
constexpr auto line_work = [](Tx& tx, EventId event) {
    return prune_line(tx, event, rows_at_once);
};
constexpr auto acts_work = [](Tx& tx, Instant before) {
    return prune_acts(tx, before, rows_at_once);
};

Task<Result<void>> forget_lines(Forgetting& what) {
    const auto lines = TRY(co_await what.database.read(Context{}, lines_work));
    for (const EventId& event : lines) {
        const auto facts = what.events.find(event);
        if (!facts || !facts->over) continue;
        const Instant since = what.clock.now() - what.quiet;
        if (!TRY(co_await what.database.read(Context{}, quiet_work, event, since))) continue;
        for (int piece = 0; piece < pieces_max; ++piece)
            if (TRY(co_await what.database.transact(Context{}, line_work, event)) == 0) break;
    }
    co_return Result<void>{};
}

Task<Result<void>> forget_acts(Forgetting& what) {
    const Instant before = what.clock.now() - what.acts_kept;
    for (int piece = 0; piece < pieces_max; ++piece)
        if (TRY(co_await what.database.transact(Context{}, acts_work, before)) < rows_at_once)
            break;
    co_return Result<void>{};
}

} // namespace

Task<> forget(Forgetting& what) {
    for (auto* part : {&forget_lines, &forget_acts})
        if (const auto done = co_await (*part)(what); !done)
            what.log.write(Level::warning, "pruning_failed",
                           {{"store", "queue"}, {"error", done.error().text()}});
}

Task<> keep_forgetting(Forgetting& what) {
    for (;;) {
        (void)co_await sleep(Context{}, round_interval);
        co_await forget(what);
    }
}

} // namespace urr::queue
