#include "libs/sql/sole_process.hpp"

namespace urr {

namespace {
constexpr Duration ask_again = milliseconds(250), renew_pause = seconds(1);
} // namespace

Task<Result<void>> SoleProcess::claim() {
    const Instant end = Loop::here().now() + patience;
    for (;;) {
        if (co_await duty_.mine()) {
            keeping_.spawn(keep());
            co_return Result<void>{};
        }
        if (Loop::here().now() >= end) break;
        (void)co_await sleep(Context{}, ask_again);
    }
    if (!database_.healthy())
        co_return fail(Code::UNAVAILABLE, std::string(service_) + ": the store is away");
    co_return fail(Code::UNAVAILABLE, std::string(taken_));
}

Task<> SoleProcess::keep() {
    do {
        (void)co_await sleep(Context{}, renew_pause);
        (void)co_await duty_.mine();
    } while (duty_.fence() != 0);
    lost_.open();
}

Task<> SoleProcess::give_up() {
    keeping_.clear();
    co_await duty_.give_up();
}

} // namespace urr
