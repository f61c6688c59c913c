#include "services/ticket/shared_reads.hpp"

namespace urr::ticket {

Task<Result<void>> SharedReads::ask(Context context, EventId event) {
    const auto turn = turn_of(event);
    TRY(co_await turn->over.wait(context));
    if (!turn->outcome) co_return fail(turn->outcome.error().clone());
    co_return Result<void>{};
}

std::shared_ptr<SharedReads::Turn> SharedReads::turn_of(const EventId& event) {
    const auto [at, is_first] = next_.try_emplace(event);
    if (!at->second) at->second = std::make_shared<Turn>();
    auto turn = at->second;
    if (is_first) tasks_.spawn(run(event));
    return turn;
}

Task<> SharedReads::run(EventId event) {
    while (const auto turn = std::exchange(next_[event], nullptr)) {
        turn->outcome = co_await read_(event);
        turn->over.open();
    }
    next_.erase(event);
}

} // namespace urr::ticket
