// catalog: what everybody may see of the events. It reads the versioned views of ticket's store and
// keeps what it read, and every answer made of it, for a second. One loop.
#pragma once
#include <map>

#include "libs/core/clock.hpp"
#include "libs/http/router.hpp"
#include "services/catalog/events.hpp"
#include "services/catalog/metrics.hpp"

namespace urr::catalog {

inline constexpr Duration kept = seconds(1);
inline constexpr Duration staleness = seconds(2); // of a replica that is read
inline constexpr Duration kept_without_store = minutes(1);

class Catalog {
public:
    Catalog(Database& tickets, const Clock& clock) : tickets_(tickets), clock_(clock) {}
    void add_to(Router& router);
    const Metrics& metrics() const { return metrics_; }

private:
    struct Answer {
        std::string body, tag;
    };
    static constexpr std::size_t answers_max = 512;

    Task<Result<Response>> list(Context context, Request request);
    Task<Result<Response>> one(Context context, Request request);
    Task<Result<Response>> told(Context context, Request request);
    // Reads anew what is older than a second; one reading at a time, for all who wait for it.
    Task<Result<void>> refresh(Context context);
    Task<Result<void>> read_once(Context context);
    Task<Result<void>> read_all(Context context);
    Response answer(const Request& request, const Answer& kept_answer);
    const Answer& keep(const Request& request, std::string body);

    Database& tickets_;
    const Clock& clock_;
    std::vector<EventView> events_; // newest first
    std::map<EventId, Counted> stocks_;
    std::map<std::string, Answer, std::less<>> answers_; // by target, of this reading
    Instant read_at_{};
    bool reading_ = false;
    Gate read_;
    Metrics metrics_;
};

} // namespace urr::catalog
