#include "services/ticket/store/evidence.hpp"

#include <map>

#include "libs/contract/events.hpp"
#include "libs/contract/evidence/outbox.hpp"
#include "libs/contract/evidence/record.hpp"
#include "libs/sql/array.hpp"
#include "services/ticket/store/reservations.hpp"

namespace urr::ticket {

namespace {

#define FACTS "SELECT id, event, account, seats, amount, payment FROM reservations WHERE id = "
constexpr Statement find_one{FACTS "?1"};
constexpr Statement find_many{FACTS "ANY(?1::bytea[])"};
#undef FACTS

constexpr std::pair<std::string_view, std::string_view> kinds[] = {
    {PaymentRequested::type, evidence::held},
    {PaymentWithdrawn::type, evidence::released},
    {ReservationConfirmed::type, evidence::paid},
    {RefundRequested::type, evidence::refund}};

std::string_view kind_of(const Message& message) {
    for (const auto& [type, kind] : kinds)
        if (message.type == type) return kind;
    return {};
}

// Of a reservation, what never changes once it is told.
struct Facts {
    EventId event;
    AccountId account;
    std::vector<std::int64_t> seats;
    Won amount;
    PaymentId payment;
};
using FactsById = std::map<IdBytes, Facts>;

void take(const Rows& rows, FactsById& all) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        all[rows.id<ReservationId>(i, 0).bytes] = {rows.id<EventId>(i, 1), rows.id<AccountId>(i, 2),
                                                   seats_of_text(rows.text(i, 3)), rows.won(i, 4),
                                                   rows.id<PaymentId>(i, 5)};
}

Task<Result<FactsById>> find_facts(Tx& tx, const std::vector<Message>& messages,
                                   bool takes_arrays) {
    FactsById all;
    if (takes_arrays) {
        BytesArray ids;
        for (const Message& message : messages) ids.add(Id<void>{message.key});
        take(TRY(co_await tx.run(find_many, {ids})), all);
        co_return all;
    }
    for (const Message& message : messages)
        if (!all.contains(message.key)) take(TRY(co_await tx.run(find_one, {message.key})), all);
    co_return all;
}

EvidenceRecord record_of(const Message& message, std::string_view kind, const Facts& facts) {
    EvidenceRecord record;
    record.id = message.id;
    record.kind = kind;
    record.at = message.occurred;
    record.account = facts.account;
    record.reservation = ReservationId{message.key};
    if (kind == evidence::held || kind == evidence::paid) {
        record.seats = facts.seats;
        record.amount = facts.amount;
    }
    if (kind == evidence::paid) record.payment = facts.payment;
    if (kind == evidence::refund)
        if (const auto asked = read_json<RefundRequested>(message.data))
            record.payment = asked->payment;
    return record;
}

} // namespace

Task<Result<bool>> witness_reservations(Tx& tx, const std::vector<Message>& messages,
                                        bool takes_arrays) {
    const FactsById all = TRY(co_await find_facts(tx, messages, takes_arrays));
    std::vector<EvidenceFact> facts;
    for (const Message& message : messages) {
        const std::string_view kind = kind_of(message);
        const auto found = all.find(message.key); // none: money for an order that is not ours
        if (kind.empty() || found == all.end()) continue;
        facts.push_back({found->second.event, to_json(record_of(message, kind, found->second))});
    }
    co_return co_await seal_evidence(tx, std::move(facts));
}

} // namespace urr::ticket
