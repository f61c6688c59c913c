#include "services/payment/sandbox_acquirer.hpp"

#include "services/payment/domain/cards.hpp"

namespace urr::payment {

// state: 0 approved, 1 declined, 2 voided before anything came; ready_us: when an approval counts.
const Migration acquirer_migrations[1] = {{1, "charges", R"sql(
CREATE TABLE charges (
    key BLOB PRIMARY KEY,
    amount INTEGER NOT NULL,
    state INTEGER NOT NULL,
    ready_us INTEGER NOT NULL,
    refunded INTEGER NOT NULL
) WITHOUT ROWID;
)sql"}};

namespace {

constexpr Statement find{"SELECT state, ready_us FROM charges WHERE key = ?1"};
constexpr Statement insert{"INSERT INTO charges (key, amount, state, ready_us, refunded) "
                           "VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING"};
constexpr Statement mark_refunded{"UPDATE charges SET refunded = 1 WHERE key = ?1 AND state = 0"};

constexpr Duration late = seconds(2);

Charge charge_of(const Rows& rows, Instant now) {
    if (rows.empty()) return Charge::not_found;
    if (rows.integer(0, 0) != 0) return Charge::declined;
    return rows.instant(0, 1) <= now ? Charge::approved : Charge::pending;
}

constexpr auto charge_work = [](Tx& tx, PaymentId key, Won amount, bool approved,
                                Duration after) -> Task<Result<Charge>> {
    TRY(co_await tx.run(insert, {key, amount, approved ? 0 : 1, tx.now + after}));
    co_return charge_of(TRY(co_await tx.run(find, {key})), tx.now);
};
constexpr auto find_work = [](Tx& tx, PaymentId key) -> Task<Result<Charge>> {
    co_return charge_of(TRY(co_await tx.run(find, {key})), tx.now);
};
constexpr auto void_work = [](Tx& tx, PaymentId key) -> Task<Result<Charge>> {
    TRY(co_await tx.run(insert, {key, Won{}, 2, tx.now}));
    co_return charge_of(TRY(co_await tx.run(find, {key})), tx.now);
};
constexpr auto refund_work = [](Tx& tx, PaymentId key) -> Task<Result<bool>> {
    TRY(co_await tx.run(mark_refunded, {key}));
    co_return true;
};

class Sandbox final : public Acquirer {
public:
    explicit Sandbox(Database& database) : database_(database) {}

    Task<Result<Charge>> capture(Context context, PaymentId key, Won amount,
                                 std::string card) override {
        const CardBehaviour behaviour = behaviour_of(card);
        const bool approves =
            behaviour != CardBehaviour::decline && behaviour != CardBehaviour::unknown_card;
        if (behaviour == CardBehaviour::delay) TRY(co_await sleep(context, late));
        if (behaviour == CardBehaviour::lose) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
        const Duration after = behaviour == CardBehaviour::time_out ? late : Duration{};
        const Charge charge =
            TRY(co_await database_.transact(context, charge_work, key, amount, approves, after));
        if (charge == Charge::pending) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
        co_return charge;
    }
    Task<Result<Charge>> look_up(Context context, PaymentId key) override {
        co_return TRY(co_await database_.transact(context, find_work, key));
    }
    Task<Result<Charge>> void_key(Context context, PaymentId key) override {
        co_return TRY(co_await database_.transact(context, void_work, key));
    }
    Task<Result<void>> refund(Context context, PaymentId key) override {
        TRY(co_await database_.transact(context, refund_work, key));
        co_return Result<void>{};
    }

private:
    Database& database_;
};

} // namespace

std::unique_ptr<Acquirer> make_sandbox_acquirer(Database& database) {
    return std::make_unique<Sandbox>(database);
}

} // namespace urr::payment
