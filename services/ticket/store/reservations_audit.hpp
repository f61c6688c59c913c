// What must hold in the store at every moment, in one query that is empty when it does: a seat's
// row and the reservations agree, counts are what they count, tickets stand for confirmed seats.
// For tests and benchmarks, on either engine.
//
//     EXPECT_EQ(must(co_await database.read(Context{}, audit)), "");
#pragma once
#include "libs/sql/database.hpp"

namespace urr::ticket {

inline constexpr Statement violations{R"sql(
SELECT 'seat without its reservation' FROM seats s LEFT JOIN reservations r ON r.id = s.reservation
 WHERE (s.state = 2 AND coalesce(r.state, -1) <> 1) OR (s.state = 3 AND coalesce(r.state, -1) <> 2)
UNION ALL
SELECT 'confirmed without its seats' FROM reservations r WHERE r.state = 2 AND
 (SELECT count(*) FROM seats s WHERE s.reservation = r.id AND s.state = 3)
 <> (length(r.seats) - length(replace(r.seats, ',', '')) + 1)
UNION ALL
SELECT 'ticket without a sold seat' FROM tickets t LEFT JOIN seats s
 ON s.event = t.event AND s.seat = t.seat WHERE s.state <> 3 OR s.reservation <> t.reservation
UNION ALL
SELECT 'count is wrong' FROM accounts a WHERE a.seats <> (SELECT coalesce(sum(
 length(r.seats) - length(replace(r.seats, ',', '')) + 1), 0) FROM reservations r
 WHERE r.event = a.event AND r.account = a.account AND r.state IN (0, 1, 2))
)sql"};
inline constexpr auto audit = [](Tx& tx) -> Task<Result<std::string>> {
    const Rows rows = TRY(co_await tx.run(violations));
    co_return rows.empty() ? std::string() : std::string(rows.text(0, 0));
};

} // namespace urr::ticket
