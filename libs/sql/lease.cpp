#include "libs/sql/lease.hpp"

namespace urr {

namespace {

constexpr Statement acquire{
    "INSERT INTO lease (name, holder, fence, until_us) VALUES (?1, ?2, 1, ?4) "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = lease.fence + 1, "
    "until_us = excluded.until_us WHERE lease.until_us <= ?3 OR lease.holder = excluded.holder "
    "RETURNING fence"};
constexpr Statement renew{"UPDATE lease SET until_us = ?3 WHERE name = ?1 AND fence = ?2"};
// Nobody takes the lease over until the work that looked at it is over.
constexpr Statement find_fence{"SELECT 1 FROM lease WHERE name = ?1 AND fence = ?2",
                               "SELECT 1 FROM lease WHERE name = ?1 AND fence = ?2 FOR SHARE"};
constexpr Statement release{"UPDATE lease SET until_us = 0 WHERE name = ?1 AND fence = ?2"};

std::unexpected<Error> taken(std::string_view name) {
    return fail(Code::CONFLICT, "another process holds the lease " + std::string(name));
}

} // namespace

Task<Result<Lease>> acquire_lease(Tx& tx, std::string_view name, std::string_view holder,
                                  Duration length) {
    const Instant until = tx.now + length;
    const Rows rows = TRY(co_await tx.run(acquire, {name, holder, tx.now, until}));
    if (rows.empty()) co_return taken(name);
    co_return Lease{rows.integer(0, 0), until};
}

Task<Result<Lease>> renew_lease(Tx& tx, std::string_view name, std::int64_t fence,
                                Duration length) {
    const Instant until = tx.now + length;
    const Rows rows = TRY(co_await tx.run(renew, {name, fence, until}));
    if (rows.changes() == 0) co_return taken(name);
    co_return Lease{fence, until};
}

Task<Result<void>> check_fence(Tx& tx, std::string_view name, std::int64_t fence) {
    const Rows rows = TRY(co_await tx.run(find_fence, {name, fence}));
    if (rows.empty()) co_return taken(name);
    co_return Result<void>{};
}

Task<Result<void>> release_lease(Tx& tx, std::string_view name, std::int64_t fence) {
    TRY(co_await tx.run(release, {name, fence}));
    co_return Result<void>{};
}

} // namespace urr
