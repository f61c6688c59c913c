// Any bytes as a layout to import: what passes the check can be walked through whole.
#include <cstdlib>

#include "services/ticket/domain/layout.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace urr::ticket;
    const auto layout = urr::read_json<Layout>({reinterpret_cast<const char*>(data), size});
    if (!layout || !check_layout(*layout)) return 0;
    const std::int64_t seats = seat_count(*layout);
    if (seats < 1 || seats > seats_max) std::abort();
    for (const std::int64_t seat : {std::int64_t(0), seats / 2, seats - 1}) {
        const SeatPlace place = place_of(*layout, seat);
        if (!place.section || place.row >= place.section->rows) std::abort();
    }
    if (seat_uses(*layout).size() != std::size_t(seats)) std::abort();
    std::int64_t sellable = 0;
    for (const Grade& grade : grades_of(*layout)) sellable += grade.seats;
    if (sellable < 1 || sellable > seats) std::abort();
    const std::string states(std::size_t(seats), 'a');
    for (const std::int64_t seat : best_available(*layout, states, 2, ""))
        if (seat < 0 || seat >= seats) std::abort();
    return 0;
}
