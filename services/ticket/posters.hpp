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
// Whoever asks waits for the store of files 5 s at most, and 2 s more where a file is replaced; its
// failures are UNAVAILABLE whatever they were: who passes answers on must not take ticket for
// broken, which goes on selling. A store that hangs may do so without end: what was asked of it
// goes on here without the one who asked, and until it is over that event's poster cannot be
// changed by this process. A file that is stored so late is one that no row names. One loop.
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
    // is under way here, and beyond some acts in all. The same again is the same.
    Task<Result<void>> put(Context context, EventId event, std::string bytes);
    // Also when it has none. NOT_FOUND, OVERLOADED as above.
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
    // Something that is asked of the store of files for an act: the task's and the asker's.
    struct Step {
        const std::shared_ptr<const Act> act; // goes on as long as either has it
        Gate over;
        Result<std::string> file; // an upload's
    };

    Result<> check_event(const EventId& event) const;
    Task<Result<void>> change(Context context, std::shared_ptr<const Act> act, std::string file);
    Task<> store_file(Context context, std::string bytes, ImageType type,
                      std::shared_ptr<Step> step);
    Task<> remove_file(Context context, std::string file, std::shared_ptr<Step> step);
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
