// Walks a chain from its beginning and names the first link that does not hold: what an auditor
// asks, and what `urr evidence verify` and `export` do.
//
//     Walk walk = TRY(co_await walk_chain(context, ledger, chain, {}));
//     if (walk.broken) … walk.broken->position, walk.broken->what
//
// A chain that was written anew from its beginning holds in itself; a head that was noted before
// (the log's `evidence_head`, an export) tells. Read in pages; one loop.
#pragma once
#include <functional>
#include <optional>

#include "services/worker/store/ledger.hpp"

namespace urr::worker {

struct NotedHead {
    std::int64_t records = 0; // the chain's length then
    Digest head{};
};

struct Broken {
    std::int64_t position = 0;
    std::string what;
};

struct Walk {
    std::int64_t records = 0; // that hold
    Digest head{};
    std::optional<Broken> broken;
    std::vector<Stopped> stopped; // sources whose next record has been missing
};

// `each` is told every link that holds.
Task<Result<Walk>> walk_chain(Context context, Database& ledger, Chain chain,
                              std::optional<NotedHead> noted,
                              std::function<void(const Kept&)> each = {});

Task<Result<std::vector<Chain>>> find_chains(Context context, Database& ledger);

} // namespace urr::worker
