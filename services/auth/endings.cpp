#include "services/auth/endings.hpp"

#include "libs/async/wait.hpp"

namespace urr::auth {

namespace {

constexpr Duration interval = seconds(1);
constexpr Duration overlap = minutes(2); // of one reading and the next: commits take time
constexpr std::int64_t page_max = 1000;

constexpr auto ended_work = [](Tx& tx, EndedSession after) {
    return ended_sessions(tx, after, page_max);
};

} // namespace

void Endings::tell(const Ended& sessions) {
    const Instant until = clock_.now() + kept_;
    for (const SessionId& session : sessions) told_.end(session, until);
}

Task<Result<void>> Endings::read(Context context) {
    const Instant began = clock_.now();
    EndedSession last{SessionId{}, from_};
    for (bool more = true; more;) {
        const auto page = TRY(co_await database_.read(context, ended_work, last));
        for (const EndedSession& one : page)
            if (one.ended + kept_ > began && !told_.has_ended(one.session))
                told_.end(one.session, one.ended + kept_);
        more = std::ssize(page) == page_max;
        if (more) last = page.back();
    }
    from_ = began - overlap;
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
