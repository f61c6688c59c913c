// Works on the ledger. A batch is written whole or not at all, under the lock of its chain; two
// workers that have the same batch write it once.
#pragma once
#include "libs/sql/database.hpp"
#include "services/worker/domain/batch.hpp"
#include "services/worker/domain/chain.hpp"

namespace urr::worker {

enum class Outcome : std::uint8_t {
    written,  // or known already
    gap,      // records before it are missing, be its own known or not
    conflict, // its numbers were used for other records
    broken    // the end of the chain is not what was written last, or something stands behind it
};

struct Written {
    Outcome outcome = Outcome::written;
    std::int64_t records = 0;  // new ones
    std::int64_t known = 0;    // skipped
    std::int64_t expected = 0; // the number that should come next
    std::int64_t length = 0;   // of the chain
    Digest head{};
};
// Other outcomes than `written` note that the chain has stopped, and nothing else. What is known
// and can come late no more, by its numbers or by a newer generation, is `written` and notes
// nothing.
Task<Result<Written>> write_batch(Tx& tx, const Batch& batch, bool takes_arrays);

// Chains that wait for a missing record.
Task<Result<std::int64_t>> count_stopped(Tx& tx);

struct Chain {
    EventId event;
    std::int64_t records = 0;
    Digest head{};
};
Task<Result<std::vector<Chain>>> all_chains(Tx& tx);

struct Stopped {
    std::string source;
    std::int64_t next = 0; // the number that it waits for
    Instant since;
};
Task<Result<std::vector<Stopped>>> stopped_sources(Tx& tx, EventId event);

struct Kept {
    Link link;
    Digest hash{};
};
// Up to `most` from behind that position on.
Task<Result<std::vector<Kept>>> read_chain(Tx& tx, EventId event, std::int64_t after,
                                           std::int64_t most);

} // namespace urr::worker
