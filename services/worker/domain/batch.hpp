// A message of the work queue as numbered records. VALIDATION_FAILED with a text that says what is
// wrong: it can never be written. Pure.
#pragma once
#include <vector>

#include "libs/contract/evidence/record.hpp"

namespace urr::worker {

struct BatchRecord {
    MessageId id;
    std::string line; // as it came
};

struct Batch {
    EventId event;
    std::string source;
    EvidenceGeneration generation;
    std::int64_t first = 1; // the number of the first record; the others follow
    std::vector<BatchRecord> records;
};

Result<Batch> read_batch(std::string_view message);

} // namespace urr::worker
