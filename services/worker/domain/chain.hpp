// The chain of an event: each record's hash covers the record as it came, where it stands, who told
// it under which number, and the hash before it. Who changes, drops, adds or moves a record breaks
// the chain at that place. Pure.
//
//     hash(0) = SHA-256("urr-evidence-1 " + event)
//     hash(n) = SHA-256(hash(n-1) + entry(n))
//     entry(n) = "POSITION SOURCE GENERATION NUMBER RECORD"
#pragma once
#include <string>

#include "libs/contract/evidence/record.hpp"
#include "libs/security/mac.hpp"

namespace urr::worker {

struct Link {
    std::int64_t position = 0; // in the chain, from 1
    std::string source;
    EvidenceGeneration generation;
    std::int64_t number = 0; // the source's own
    std::string record;      // as it came
};

Digest first_hash(const EventId& event);
Digest next_hash(const Digest& before, const Link& link);

} // namespace urr::worker
