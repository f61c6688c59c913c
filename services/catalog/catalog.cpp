#include "services/catalog/catalog.hpp"

#include "libs/http/etag.hpp"
#include "libs/security/mac.hpp"

namespace urr::catalog {

namespace {

constexpr auto events_work = [](Tx& tx) { return read_events(tx); };
constexpr auto stock_work = [](Tx& tx, EventId event) { return count_stock(tx, event); };

} // namespace

void Catalog::add_to(Router& router) {
    router.add<&Catalog::list>(Method::get, "/api/v1/events", *this);
    router.add<&Catalog::one>(Method::get, "/api/v1/events/{eventId}", *this);
    router.add<&Catalog::told>(Method::get, "/internal/events", *this);
}

// Counting walks over an event's seats, so it is done each second only while that event sells:
// before nothing is taken, afterwards little changes.
Task<Result<void>> Catalog::read_all(Context context) {
    auto events = TRY(co_await tickets_.read_within(staleness, context, events_work));
    const Instant now = clock_.now();
    for (EventView& event : events) {
        event.stock.free = event.seats;
        if (now < event.sale_start) continue;
        Counted& counted = stocks_[event.id];
        const Duration fresh = now < event.sale_end ? kept : kept_without_store;
        if (now - counted.at >= fresh)
            counted = {TRY(co_await tickets_.read_within(staleness, context, stock_work, event.id)),
                       now};
        event.stock = counted.stock;
    }
    events_ = std::move(events);
    answers_.clear();
    read_at_ = now;
    co_return Result<void>{};
}

Task<Result<void>> Catalog::read_once(Context context) {
    struct Reading { // also when the one who reads goes away meanwhile
        Catalog& catalog;
        explicit Reading(Catalog& of) : catalog(of) {
            catalog.reading_ = true;
            catalog.read_.reset();
        }
        ~Reading() {
            catalog.reading_ = false;
            catalog.read_.open();
        }
    } reading(*this);
    co_return co_await read_all(context);
}

Task<Result<void>> Catalog::refresh(Context context) {
    while (clock_.now() - read_at_ >= kept) {
        if (reading_) {
            TRY(co_await read_.wait(context));
            continue;
        }
        auto done = co_await read_once(context);
        metrics_.reads.add();
        if (done) break;
        metrics_.failed_reads.add();
        // An old answer is better than none, for a while.
        if (clock_.now() - read_at_ < kept_without_store) break;
        co_return fail(std::move(done).error());
    }
    co_return Result<void>{};
}

const Catalog::Answer& Catalog::keep(const Request& request, std::string body) {
    if (answers_.size() >= answers_max) answers_.clear();
    const Digest digest = sha256(body);
    Answer& answer = answers_[std::string(request.target)];
    answer.tag = "\"" + hex(std::span(digest).first(8)) + "\"";
    answer.body = std::move(body);
    return answer;
}

Response Catalog::answer(const Request& request, const Answer& kept_answer) {
    Response response;
    if (tag_matches(request.header("If-None-Match"), kept_answer.tag)) {
        response.status = 304;
        metrics_.not_modified.add();
    } else {
        response = json_response(200, kept_answer.body);
    }
    response.add("ETag", kept_answer.tag).add("Cache-Control", "public, max-age=1");
    return response;
}

Task<Result<Response>> Catalog::list(Context context, Request request) {
    const Question question = TRY(question_of(request.query));
    TRY(co_await refresh(context));
    if (const auto kept_one = answers_.find(request.target); kept_one != answers_.end()) {
        metrics_.from_memory.add();
        co_return answer(request, kept_one->second);
    }
    co_return answer(request, keep(request, list_json(events_, question, clock_.now())));
}

Task<Result<Response>> Catalog::one(Context context, Request request) {
    const auto id = EventId::parse(request.parameters[0]);
    if (!id) co_return fail(Code::NOT_FOUND);
    TRY(co_await refresh(context));
    if (const auto kept_one = answers_.find(request.target); kept_one != answers_.end()) {
        metrics_.from_memory.add();
        co_return answer(request, kept_one->second);
    }
    const auto event = std::find_if(events_.begin(), events_.end(),
                                    [&](const EventView& e) { return e.id == *id; });
    if (event == events_.end()) co_return fail(Code::NOT_FOUND);
    co_return answer(request, keep(request, detail_json(*event, clock_.now())));
}

// For queue: all of them, each time.
Task<Result<Response>> Catalog::told(Context context, Request request) {
    TRY(co_await refresh(context));
    if (const auto kept_one = answers_.find(request.target); kept_one != answers_.end())
        co_return answer(request, kept_one->second);
    co_return answer(request, keep(request, told_json(events_)));
}

} // namespace urr::catalog
