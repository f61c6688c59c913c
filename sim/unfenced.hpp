// The planted bug `skip-the-fence`: payment captures without asking ticket to begin, and ticket
// takes whatever was captured, whatever has become of the hold.
#pragma once
#include "libs/contract/events.hpp"
#include "libs/messaging/message.hpp"
#include "libs/sql/sqlite_database.hpp"
#include "services/payment/service.hpp"

namespace urr::sim {

class UnfencedTickets final : public payment::Tickets {
public:
    explicit UnfencedTickets(std::unique_ptr<payment::Tickets> inner) : inner_(std::move(inner)) {}
    Task<Result<BegunPayment>> begin(Context context, OrderId order, PaymentId) override {
        const payment::Order known = TRY(co_await inner_->order(context, order));
        co_return BegunPayment{1, known.amount, known.account};
    }
    Task<Result<payment::Order>> order(Context context, OrderId id) override {
        co_return TRY(co_await inner_->order(context, id));
    }

private:
    std::unique_ptr<payment::Tickets> inner_;
};

class UnfencedConsumer final : public Consumer {
public:
    UnfencedConsumer(Consumer& ticket, SqliteDatabase& store) : ticket_(ticket), store_(store) {}
    Task<Result<void>> consume(Context context, Message message) override {
        if (message.type == PaymentCaptured::type) {
            const auto event = TRY(read_json<PaymentCaptured>(message.data));
            const ReservationId id{event.order.bytes};
            TRY(co_await store_.transact(context, accept, id, event.fence));
        }
        co_return co_await ticket_.consume(context, std::move(message));
    }

private:
    static constexpr auto accept = [](Tx& tx, ReservationId id,
                                      std::int64_t fence) -> Task<Result<bool>> {
        static constexpr Statement begun{
            "UPDATE reservations SET state = 1, fence = ?2 WHERE id = ?1 AND state <> 2"};
        static constexpr Statement paying{
            "UPDATE seats SET state = 2 WHERE reservation = ?1 AND state = 1"};
        TRY(co_await tx.run(begun, {id, fence}));
        TRY(co_await tx.run(paying, {id}));
        co_return true;
    };

    Consumer& ticket_;
    SqliteDatabase& store_;
};

} // namespace urr::sim
