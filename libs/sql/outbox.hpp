// The transactional outbox and its counterpart, the inbox: an event is written with its cause and
// takes effect once, however often it is delivered.
//
//     TRY(co_await append_event(tx, {"payment-events", order, "PaymentRequested", 1, json}));
//     if (!TRY(co_await first_time(tx, "ticket", message.id))) co_return Done{};   // seen before
#pragma once
#include <string>

#include "libs/sql/array.hpp"
#include "libs/sql/database.hpp"

namespace urr {

struct OutboxEvent {
    std::string_view topic;
    IdBytes key{}; // the order is kept per key: an order, an account; never a whole event's
    std::string_view type;
    int version = 1;
    std::string_view data; // JSON
    std::string_view traceparent;
};

// Within the work that causes it. `id` is drawn by the caller (works have no randomness of their
// own).
Task<Result<void>> append_event(Tx& tx, MessageId id, OutboxEvent event);

// The same as its two statements, not awaited yet, so that they may travel with others: `numbered`
// first. `id` and `event` live until they were.
struct AppendedEvent {
    Query numbered, put;
};
AppendedEvent append_later(Tx& tx, const MessageId& id, const OutboxEvent& event);

// Many events at once, each the first of its key (a reservation that was just made), where the
// engine takes arrays.
struct FirstEvents {
    BytesArray ids, keys;
    TextArray data;
    void add(MessageId id, const IdBytes& key, std::string_view json) {
        ids.add(id);
        keys.add(std::span<const unsigned char>(key));
        data.add(json);
    }
};
// Not awaited yet, so that it may travel with others; `events` lives until it was.
Query append_first_events(Tx& tx, std::string_view topic, std::string_view type, int version,
                          FirstEvents& events);

// True when this consumer has not seen the message; noted in the same transaction.
Task<Result<bool>> first_time(Tx& tx, std::string_view consumer, MessageId id);
// The same, not awaited yet, so that it may travel with others: changes() is 1 the first time.
// `consumer` and `id` live until it was.
Query note_message(Tx& tx, std::string_view consumer, const MessageId& id);

// Forgets up to `most` messages that were noted before `before` (longer ago than the log keeps
// them); the number forgotten.
Task<Result<std::int64_t>> prune_inbox(Tx& tx, Instant before, std::int64_t most);

} // namespace urr
