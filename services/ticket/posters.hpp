// The posters of events: files by the hash of their content, and the event's row, which says which
// of them is its poster.
//
//     Posters posters(service, {files, offload});
//     TRY(co_await posters.put(context, event, bytes));
//
// The file is stored before the row names it, and removed after the row has ceased to: what is
// shown is there. A file that no row names (a process that died in between, a removal that failed)
// is harmless: nobody is given it, and the same upload takes it up again.
//
// Nothing here waits for the store of files longer than some seconds, and its failures are
// UNAVAILABLE whatever they were: who passes answers on must not take ticket for broken, which
// goes on selling. One loop.
#pragma once
#include <map>
#include <set>

#include "libs/async/nursery.hpp"
#include "libs/async/offload.hpp"
#include "libs/aws/files.hpp"
#include "services/ticket/domain/image.hpp"
#include "services/ticket/service.hpp"

namespace urr::ticket {

inline constexpr std::size_t poster_bytes_max = 5 * 1024 * 1024;

// nullptr: this installation keeps no files, and all is UNAVAILABLE.
struct PosterFiles {
    Files* files = nullptr;
    Offload* offload = nullptr; // for the hash of an upload
};

class Posters {
public:
    Posters(Service& service, PosterFiles to) : service_(service), to_(to) {}

    // BODY_TOO_LARGE, NOT_AN_IMAGE, NOT_FOUND; OVERLOADED while another act on the event's poster
    // is under way here. The same again is the same.
    Task<Result<void>> put(Context context, EventId event, std::string bytes);
    // Also when it has none. NOT_FOUND.
    Task<Result<void>> remove(Context context, EventId event);

    // The bytes of `file`, when it is the event's poster: NOT_FOUND for all others, and nobody is
    // asked for them. Those who ask at once share one reading; OVERLOADED beyond some of them.
    Task<Result<std::string>> read(Context context, EventId event, std::string_view file);

private:
    struct Reading {
        Gate over;
        Result<std::string> bytes;
    };
    class Act;

    Result<> check_event(const EventId& event) const;
    Task<Result<void>> change(Context context, EventId event, std::string file);
    Task<> remove_file(Context context, EventId event, const std::string& file);
    Task<> read_file(EventId event, std::string file, std::shared_ptr<Reading> reading);

    Service& service_;
    const PosterFiles to_;
    std::set<EventId> acts_; // under way
    std::map<std::string, std::shared_ptr<Reading>, std::less<>> readings_;
    Nursery tasks_; // last: its tasks use all of the above
};

// Their parts, of "<64 hexadecimal digits>.<ending>"; empty: not a name that we give.
struct PosterName {
    std::string_view hash, type; // "image/jpeg"
};
std::optional<PosterName> read_poster_name(std::string_view file);

} // namespace urr::ticket
