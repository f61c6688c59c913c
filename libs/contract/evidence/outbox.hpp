// Evidence's outbox: records are numbered and sealed in batches, in the transaction in which the
// relay takes the messages that tell them off the outbox. So nothing is added to a request, a
// record is written once, and who numbers is one process at a time (the relay's lease).
//
//     std::vector<EvidenceFact> facts;              // in the order in which they happened
//     TRY(co_await seal_evidence(tx, std::move(facts)));
//
// Two processes that seal at once wait for one another at the event's count. What was sealed is
// sent by EvidencePublisher, and kept for a while so that it can be sent again.
#pragma once
#include <string>
#include <vector>

#include "libs/contract/evidence/record.hpp"
#include "libs/sql/database.hpp"

namespace urr {

// A record (record.hpp) as JSON, and whose chain it belongs to.
struct EvidenceFact {
    EventId event;
    std::string line;
};

Task<Result<bool>> seal_evidence(Tx& tx, std::vector<EvidenceFact> facts);

// Lets what was sealed of an event, from this number on, be sent again: how many batches. For when
// messages were lost on their way.
Task<Result<std::int64_t>> send_evidence_again(Tx& tx, EventId event, std::int64_t from);

// After the store was restored from an older backup, its service stopped: begins another generation
// (`fresh`), numbers from 1 all that is kept and lets it be sent again. The ledger knows the
// records that it has by their ids.
Task<Result<std::int64_t>> renew_evidence(Tx& tx, EvidenceGeneration fresh);

// In each store whose service tells evidence.
extern const char* const evidence_tables;

} // namespace urr
