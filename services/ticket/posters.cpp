#include "services/ticket/posters.hpp"

#include <algorithm>

#include "libs/security/mac.hpp"

namespace urr::ticket {

namespace {

constexpr std::size_t readings_max = 8;
constexpr std::size_t acts_max = 8; // each has its upload in memory
// An act waits for hash and file, then for the database (as long as its context lets it), then for
// the file before it to go: 7 s and the database, where the gateway waits 10 and would take ticket
// for away. A reading is bounded at the store, and a second later here.
constexpr Duration store_at_most = seconds(5), remove_at_most = seconds(2);
constexpr Duration read_at_most = seconds(4);
constexpr std::size_t hash_letters = 64;

std::string name_of(const EventId& event, std::string_view file) {
    return "posters/" + event.text() + "/" + std::string(file);
}

std::unexpected<Error> away() {
    return fail(Error(Code::UNAVAILABLE, "the store of files").retry_after(2));
}

// The bytes come back: the hash was taken in another thread, and they are still to be written.
struct Hashed {
    std::string bytes, hash;
};
Hashed hash_of(std::string& bytes) {
    std::string hash = hex(sha256(bytes));
    return Hashed{std::move(bytes), std::move(hash)};
}

Context within(Context context, Duration at_most) {
    context.deadline = std::min(context.deadline, Loop::here().now() + at_most);
    return context;
}

} // namespace

std::optional<PosterName> read_poster_name(std::string_view file) {
    constexpr auto is_digit = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    };
    if (file.size() < hash_letters + 2 || file[hash_letters] != '.') return std::nullopt;
    const std::string_view hash = file.substr(0, hash_letters);
    if (!std::ranges::all_of(hash, is_digit)) return std::nullopt;
    for (const ImageType& each : image_types)
        if (file.substr(hash_letters + 1) == each.ending) return PosterName{hash, each.type};
    return std::nullopt;
}

// One at a time for each event: of two, the file that one stores could be what the other removes.
// Other processes may act meanwhile: remove_file looks at the row again.
class Posters::Act {
public:
    Act(std::set<EventId>& acts, const EventId& of)
        : event(of), acts_(acts), mine_(acts.size() < acts_max && acts.insert(of).second) {}
    ~Act() {
        if (mine_) acts_.erase(event);
    }
    Act(const Act&) = delete;
    Act& operator=(const Act&) = delete;
    Result<> begun() const {
        if (mine_) return {};
        return fail(Error(Code::OVERLOADED, acts_.contains(event)
                                                ? "its poster is being changed"
                                                : "many posters are being changed")
                        .retry_after(1));
    }

    const EventId event;

private:
    std::set<EventId>& acts_;
    const bool mine_;
};

Result<> Posters::check_event(const EventId& event) const {
    if (!service_.find(event)) return fail(Code::NOT_FOUND);
    if (!to_.files) return fail(Code::UNAVAILABLE, "no place for files is configured");
    return {};
}

Task<Result<void>> Posters::put(Context context, EventId event, std::string bytes) {
    TRY(check_event(event));
    if (bytes.size() > poster_bytes_max) co_return fail(Code::BODY_TOO_LARGE);
    const auto type = image_type_of(bytes);
    if (!type) co_return fail(Code::NOT_AN_IMAGE);
    const auto act = std::make_shared<const Act>(acts_, event);
    TRY(act->begun());
    const auto step = std::make_shared<Step>(act);
    const Context in_time = within(context, store_at_most);
    tasks_.spawn(store_file(in_time, std::move(bytes), *type, step));
    if (!co_await step->over.wait(in_time)) step->file = away();
    if (!step->file) {
        service_.file_figures().failed.add();
        co_return fail(step->file.error().clone());
    }
    service_.file_figures().stored.add();
    co_return co_await change(context, act, *step->file);
}

// The row is the asker's: nothing changes once he was told that it failed.
Task<> Posters::store_file(Context context, std::string bytes, ImageType type,
                           std::shared_ptr<Step> step) {
    auto hashed = co_await to_.offload->run(context, hash_of, std::move(bytes));
    Result<std::string> file = away();
    if (hashed) {
        std::string name = hashed->hash + "." + std::string(type.ending);
        // Also where the row names it already: should the file have been lost, this mends it.
        if (co_await to_.files->put(context, name_of(step->act->event, name),
                                    std::move(hashed->bytes), std::string(type.type)))
            file = std::move(name);
    }
    step->file = std::move(file);
    step->over.open();
}

Task<Result<void>> Posters::remove(Context context, EventId event) {
    TRY(check_event(event));
    const auto act = std::make_shared<const Act>(acts_, event);
    TRY(act->begun());
    co_return co_await change(context, act, "");
}

Task<Result<void>> Posters::change(Context context, std::shared_ptr<const Act> act,
                                   std::string file) {
    std::string replaced = TRY(co_await service_.set_poster(context, act->event, std::move(file)));
    if (replaced.empty()) co_return Result<void>{};
    // As far as it goes: the row does not name it any more, so that it only takes room.
    const auto step = std::make_shared<Step>(act);
    const Context in_time = within(context, remove_at_most);
    tasks_.spawn(remove_file(in_time, std::move(replaced), step));
    if (!co_await step->over.wait(in_time) || !step->file) service_.file_figures().failed.add();
    co_return Result<void>{};
}

Task<> Posters::remove_file(Context context, std::string file, std::shared_ptr<Step> step) {
    const auto now = co_await service_.poster(context, step->act->event);
    if (now && *now != file) // else of another process, which has stored it again
        if (const auto gone = co_await to_.files->remove(context, name_of(step->act->event, file));
            !gone)
            step->file = fail(gone.error().clone());
    step->over.open();
}

Task<Result<std::string>> Posters::read(Context context, EventId event, std::string_view file) {
    const SeatMap* map = service_.find(event);
    if (!map || map->event().poster != file) co_return fail(Code::NOT_FOUND);
    TRY(check_event(event));
    std::string name = name_of(event, file);
    std::shared_ptr<Reading> reading;
    if (const auto known = readings_.find(name); known != readings_.end()) {
        reading = known->second;
    } else {
        if (readings_.size() >= readings_max)
            co_return fail(Error(Code::OVERLOADED).retry_after(1));
        reading = readings_[name] = std::make_shared<Reading>();
        tasks_.spawn(read_file(event, std::string(file), reading));
    }
    // A folder that hangs does so without end.
    if (!co_await reading->over.wait(within(context, read_at_most + seconds(1)))) co_return away();
    if (!reading->bytes) co_return fail(reading->bytes.error().clone());
    service_.file_figures().served.add();
    co_return *reading->bytes;
}

// Nobody's alone: it goes on when those who wait for it have left.
Task<> Posters::read_file(EventId event, std::string file, std::shared_ptr<Reading> reading) {
    const std::string name = name_of(event, file);
    auto bytes = co_await to_.files->get(within(Context{}, read_at_most), name);
    if (!bytes) {
        service_.file_figures().failed.add();
        // S3 says that nothing is there only to who may list.
        const Code code = bytes.error().code();
        if (code == Code::NOT_FOUND)
            bytes = fail(Code::NOT_FOUND);
        else
            bytes = away();
    }
    reading->bytes = std::move(bytes);
    readings_.erase(name);
    reading->over.open();
}

} // namespace urr::ticket
