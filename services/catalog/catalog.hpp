// catalog: what everybody may see of the events. One loop.
#pragma once
#include "libs/core/clock.hpp"
#include "libs/core/json.hpp"
#include "libs/http/router.hpp"
#include "libs/sql/database.hpp"

namespace urr::catalog {

struct EventView {
    EventId id;
    std::string title, artist, venue, status;
    Instant event_at, sale_start, sale_end;
    std::int64_t seats = 0, free = 0, under_way = 0;
    std::int64_t seats_per_person = 0;
    bool room = false;
};

inline constexpr Duration kept = seconds(1);
inline constexpr Duration kept_without_store = minutes(1);

class Catalog {
public:
    Catalog(Database& tickets, const Clock& clock) : tickets_(tickets), clock_(clock) {}
    void add_to(Router& router);

private:
    Task<Result<Response>> list(Context context, Request request);
    Task<Result<Response>> one(Context context, Request request);
    Task<Result<void>> refresh(Context context);

    Database& tickets_;
    const Clock& clock_;
    std::vector<EventView> events_;
    Instant read_at_{};
};

} // namespace urr::catalog
