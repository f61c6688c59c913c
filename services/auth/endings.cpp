#include "services/auth/endings.hpp"

#include "libs/async/wait.hpp"

namespace urr::auth {

namespace {

constexpr Duration interval = seconds(1);
constexpr Duration late = seconds(10);     // longer than a commit is waited for (libs/sql)
constexpr Duration very_late = minutes(2); // and longer than clocks are apart
constexpr Duration look_again = minutes(1);
constexpr std::int64_t page_max = 1000;

constexpr auto ended_work = [](Tx& tx, EndedSession after) {
    return ended_sessions(tx, after, page_max);
};

} // namespace

void Endings::tell(const Ended& sessions) {
    const Instant until = clock_.now() + kept_;
    for (const SessionId& session : sessions) told_.end(session, until);
}

Task<Result<Instant>> Endings::read_from(Context context, Instant from, Instant now) {
    EndedSession last{SessionId{}, from};
    for (bool more = true; more;) {
        const auto page = TRY(co_await database_.read(context, ended_work, last));
        rows_read_.add(page.size());
        for (const EndedSession& one : page)
            if (one.ended + kept_ > now && !told_.has_ended(one.session))
                told_.end(one.session, one.ended + kept_);
        more = std::ssize(page) == page_max;
        if (!page.empty()) last = page.back();
    }
    co_return last.ended;
}

Task<Result<void>> Endings::read(Context context) {
    const Instant began = clock_.now();
    const bool again = began >= look_again_;
    if (again) from_ = std::min(from_, began - very_late);
    const auto last = co_await read_from(context, from_, began);
    if (!last) {
        look_again_ = began;
        co_return fail(last.error().clone());
    }
    if (again) look_again_ = began + look_again;
    // What ended in a time to come, by a clock that ran ahead, hides nothing that ends now.
    from_ = std::max(std::min(*last, began) - late, began - very_late);
    co_return Result<void>{};
}

Task<> Endings::run() {
    for (;;) {
        (void)co_await sleep(Context{}, interval);
        (void)co_await read(Context{});
        told_.prune(clock_.now());
    }
}

} // namespace urr::auth
