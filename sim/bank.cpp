#include "sim/bank.hpp"

#include "libs/core/must.hpp"

namespace urr::sim {

using payment::Charge;

Bank::Bank(SimWorld& world, FaultCounts& counts)
    : counts_(counts), loop_(world), clock_(world), random_(world.random().next()),
      disk_(world.random().next(), clock_) {
    Loop::Enter in(&loop_);
    SqliteOptions options;
    options.path = "acquirer.db";
    options.clock = &clock_;
    options.vfs = disk_.vfs();
    database_ = must(open_sqlite_on_loop(options, loop_, random_));
    must(migrate(*database_, payment::acquirer_migrations));
    sandbox_ = payment::make_sandbox_acquirer(*database_);
}

Bank::Fate Bank::draw() {
    if (!random_.chance(trouble_permille_)) return Fate::well;
    constexpr Fate fates[] = {Fate::request_lost, Fate::answer_lost, Fate::late, Fate::twice};
    const Fate fate = fates[random_.below(4)];
    if (fate == Fate::request_lost) counts_.add(Fault::card_request_lost);
    if (fate == Fate::answer_lost) counts_.add(Fault::card_answer_lost);
    if (fate == Fate::late) counts_.add(Fault::card_late);
    return fate;
}

bool Bank::loses(Fault what) {
    if (!random_.chance(trouble_permille_ / 2)) return false;
    counts_.add(what);
    return true;
}

Task<Result<void>> Bank::travel(Context context) {
    co_return co_await sleep(context, microseconds(random_.between(200, 40'000)));
}

// The request stood in a queue somewhere and arrives after all.
Task<> Bank::capture_late(Bank& bank, PaymentId key, Won amount, std::string card) {
    (void)co_await sleep(Context{}, milliseconds(bank.random_.between(500, 30'000)));
    (void)co_await bank.sandbox_->capture(Context{}, key, amount, std::move(card));
}

Task<Result<Charge>> Bank::capture(Context context, PaymentId key, Won amount, std::string card) {
    const Fate fate = draw();
    TRY(co_await travel(context));
    if (fate == Fate::request_lost) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    if (fate == Fate::late) {
        Loop::Enter in(&loop_);
        nursery_.spawn(capture_late(*this, key, amount, std::move(card)));
        co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    }
    if (fate == Fate::twice) TRY(co_await sandbox_->capture(context, key, amount, card));
    const Charge charge = TRY(co_await sandbox_->capture(context, key, amount, card));
    TRY(co_await travel(context));
    if (fate == Fate::answer_lost) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    co_return charge;
}

Task<Result<Charge>> Bank::look_up(Context context, PaymentId key) {
    TRY(co_await travel(context));
    if (loses(Fault::card_answer_lost)) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    co_return TRY(co_await sandbox_->look_up(context, key));
}

Task<Result<Charge>> Bank::void_key(Context context, PaymentId key) {
    TRY(co_await travel(context));
    if (loses(Fault::card_request_lost)) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    const Charge charge = TRY(co_await sandbox_->void_key(context, key));
    TRY(co_await travel(context));
    if (loses(Fault::card_answer_lost)) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    co_return charge;
}

Task<Result<void>> Bank::refund(Context context, PaymentId key) {
    TRY(co_await travel(context));
    if (loses(Fault::card_request_lost)) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    TRY(co_await sandbox_->refund(context, key));
    TRY(co_await travel(context));
    if (loses(Fault::card_answer_lost)) co_return fail(Code::DEADLINE_EXCEEDED, "no answer");
    co_return Result<void>{};
}

} // namespace urr::sim
