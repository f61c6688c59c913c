#include "services/worker/verify.hpp"

namespace urr::worker {

namespace {

constexpr std::int64_t page = 500;

constexpr auto links_work = [](Tx& tx, EventId event, std::int64_t after) {
    return read_chain(tx, event, after, page);
};
constexpr auto stopped_work = [](Tx& tx, EventId event) { return stopped_sources(tx, event); };
constexpr auto chains_work = [](Tx& tx) { return all_chains(tx); };

std::optional<Broken> judge(const Walk& before, const Kept& kept,
                            const std::optional<NotedHead>& noted) {
    const std::int64_t expected = before.records + 1;
    if (kept.link.position != expected) return Broken{expected, "the record is missing"};
    if (next_hash(before.head, kept.link) != kept.hash)
        return Broken{expected, "the record or its place was changed"};
    if (noted && noted->records == expected && noted->head != kept.hash)
        return Broken{expected, "the chain was written anew: its head was another"};
    return std::nullopt;
}

} // namespace

Task<Result<Walk>> walk_chain(Context context, Database& ledger, Chain chain,
                              std::optional<NotedHead> noted,
                              std::function<void(const Kept&)> each) {
    Walk walk;
    walk.head = first_hash(chain.event);
    walk.stopped = TRY(co_await ledger.read(context, stopped_work, chain.event));
    // What is added meanwhile is another walk's.
    while (walk.records < chain.records) {
        const auto links =
            TRY(co_await ledger.read(context, links_work, chain.event, walk.records));
        if (links.empty()) walk.broken = {walk.records + 1, "the record is missing"};
        for (const Kept& kept : links) {
            if (walk.records == chain.records) break;
            walk.broken = judge(walk, kept, noted);
            if (walk.broken) break;
            ++walk.records;
            walk.head = kept.hash;
            if (each) each(kept);
        }
        if (walk.broken) co_return walk;
    }
    if (walk.head != chain.head)
        walk.broken = {walk.records, "the chain does not end with the head that it has"};
    else if (noted && noted->records > walk.records)
        walk.broken = {walk.records + 1, "the chain was longer: its end was cut off"};
    co_return walk;
}

Task<Result<std::vector<Chain>>> find_chains(Context context, Database& ledger) {
    co_return TRY(co_await ledger.read(context, chains_work));
}

} // namespace urr::worker
