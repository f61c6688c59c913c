// What catalog tells queue of the published events (GET /internal/events): when each is sold, and
// what of it is left. Times instead of a status, so that queue opens its doors by its own clock.
#pragma once
#include "libs/core/json.hpp"

namespace urr {

struct EventTold {
    static constexpr bool open = true;
    EventId id;
    bool room = false; // a waiting room stands before it
    Instant sale_start, sale_end;
    std::int64_t free = 0, under_way = 0, sold = 0; // seats, without blocked ones
};
template <class Archive>
void describe(Archive& a, EventTold& v) {
    a.field("id", v.id);
    a.field("waitingRoom", v.room);
    a.field("saleStartAt", v.sale_start);
    a.field("saleEndAt", v.sale_end);
    a.field("free", v.free);
    a.field("underWay", v.under_way);
    a.field("sold", v.sold);
}

struct EventsTold {
    static constexpr bool open = true;
    std::vector<EventTold> items;
};
template <class Archive>
void describe(Archive& a, EventsTold& v) {
    a.field("items", v.items);
}

} // namespace urr
