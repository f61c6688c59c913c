#include "services/ticket/store/begun.hpp"

#include "libs/sql/outbox.hpp"

namespace urr::ticket {

Task<Result<BegunOnce>> begin_payment_once(Tx& tx, ReservationId id, PaymentId attempt) {
    constexpr std::string_view consumer = "begin-payment";
    const MessageId seen{attempt.bytes};
    Query noted = note_message(tx, consumer, seen);
    auto begun = co_await begin_payment(tx, id, attempt, &noted);
    if (!begun) {
        if (begun.error().code() != Code::PAYMENT_IN_PROGRESS)
            co_return fail(std::move(begun).error());
        TRY(co_await first_time(tx, consumer, seen));
        co_return BegunOnce{{}, true};
    }
    // Without changes it is under way already, and the answer is the first one again.
    if (!begun->changes.empty() && TRY(std::move(noted.result)).changes() == 0)
        co_return fail(Code::RESERVATION_NOT_PENDING, "this attempt is over");
    co_return BegunOnce{std::move(*begun)};
}

} // namespace urr::ticket
