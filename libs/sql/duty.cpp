#include "libs/sql/duty.hpp"

namespace urr {

namespace {

constexpr auto take_work = [](Tx& tx, const std::string& name, const std::string& holder,
                              Duration length) { return acquire_lease(tx, name, holder, length); };
constexpr auto renew_work = [](Tx& tx, const std::string& name, std::int64_t fence,
                               Duration length) { return renew_lease(tx, name, fence, length); };
constexpr auto release_work = [](Tx& tx, const std::string& name,
                                 std::int64_t fence) -> Task<Result<bool>> {
    TRY(co_await release_lease(tx, name, fence));
    co_return true;
};

} // namespace

bool Duty::held() const { return lease_.fence != 0 && Loop::here().now() < until_; }

Task<bool> Duty::mine() {
    // Counted from before the store was asked: the store's lease outlasts what we believe of it.
    const Instant asked = Loop::here().now();
    if (given_up_) co_return false;
    if (held() && asked + length_ / 2 < until_) co_return true;
    Context context;
    context.deadline = asked + length_ / 2;
    auto lease =
        lease_.fence != 0
            ? co_await database_.transact(context, renew_work, name_, lease_.fence, length_)
            : co_await database_.transact(context, take_work, name_, holder_, length_);
    if (lease && !given_up_) {
        lease_ = *lease;
        until_ = asked + length_;
    } else if (!lease && lease.error().code() == Code::CONFLICT) {
        lease_ = {};
    }
    co_return held();
}

Task<> Duty::give_up() {
    given_up_ = true;
    if (lease_.fence == 0) co_return;
    const std::int64_t fence = std::exchange(lease_, {}).fence;
    Context context;
    context.deadline = Loop::here().now() + seconds(2);
    (void)co_await database_.transact(context, release_work, name_, fence);
}

} // namespace urr
