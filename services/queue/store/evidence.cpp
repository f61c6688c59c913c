#include "services/queue/store/evidence.hpp"

#include "libs/contract/evidence/outbox.hpp"
#include "libs/contract/evidence/record.hpp"
#include "libs/contract/queue_events.hpp"

namespace urr::queue {

namespace {

EvidenceRecord record_of(const Message& message, std::string_view kind, AccountId account) {
    EvidenceRecord record;
    record.id = message.id;
    record.kind = kind;
    record.at = message.occurred;
    record.account = account;
    return record;
}

} // namespace

Task<Result<bool>> witness_admissions(Tx& tx, const std::vector<Message>& messages, bool) {
    std::vector<EvidenceFact> facts;
    for (const Message& message : messages) {
        if (message.type == EntryAdmitted::type) {
            const auto told = read_json<EntryAdmitted>(message.data);
            if (!told) continue; // the relay's own messages are readable
            EvidenceRecord record = record_of(message, evidence::admitted, told->account);
            record.at = told->admitted;
            record.epoch = std::int64_t(told->epoch);
            record.phase = std::int64_t(told->phase);
            record.position = std::int64_t(told->position);
            record.until = told->until;
            facts.push_back({told->event, to_json(record)});
        } else if (message.type == EntryReturned::type) {
            const auto told = read_json<EntryReturned>(message.data);
            if (!told) continue;
            facts.push_back(
                {told->event, to_json(record_of(message, evidence::returned, told->account))});
        }
    }
    co_return co_await seal_evidence(tx, std::move(facts));
}

} // namespace urr::queue
