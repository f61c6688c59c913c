#include "services/queue/catalog_client.hpp"

#include "libs/contract/answer.hpp"

namespace urr::queue {

namespace {

constexpr Duration asked_each = milliseconds(500);
constexpr Duration answer_time = seconds(2);

} // namespace

EventFacts facts_at(const EventTold& told, Instant now) {
    return {.room = told.room,
            .on_sale = now >= told.sale_start && now < told.sale_end,
            .over = now >= told.sale_end,
            .free = told.free,
            .under_way = told.under_way,
            .sold = told.sold};
}

Result<EventFacts> CatalogClient::find(const EventId& event) const {
    const auto at = told_.find(event);
    if (at != told_.end()) return facts_at(at->second, clock_.now());
    if (heard_) return fail(Code::NOT_FOUND);
    return fail(Error(Code::UNAVAILABLE, "nothing was heard of catalog yet").retry_after(1));
}

std::vector<EventId> CatalogClient::published() const {
    std::vector<EventId> ids;
    for (const auto& [id, told] : told_) ids.push_back(id);
    return ids;
}

bool CatalogClient::is_fresh() const {
    return heard_ && Loop::here().now() - heard_at_ < asked_each;
}

// One question at a time, for all who wait for its answer.
Task<Result<void>> CatalogClient::refresh(Context context) {
    if (is_fresh()) co_return Result<void>{};
    if (asking_) {
        TRY(co_await answered_.wait(context));
        if (is_fresh()) co_return Result<void>{};
        co_return fail(Error(Code::UNAVAILABLE, "catalog did not answer").retry_after(1));
    }
    struct Asking { // also when the one who asks goes away meanwhile
        CatalogClient& client;
        explicit Asking(CatalogClient& of) : client(of) {
            client.asking_ = true;
            client.answered_.reset();
        }
        ~Asking() {
            client.asking_ = false;
            client.answered_.open();
        }
    } asking(*this);
    co_return co_await ask(context);
}

Task<Result<void>> CatalogClient::ask(Context context) {
    Request request;
    request.target = request.path = "/internal/events";
    const CallerHeaders headers(key_, "catalog", Principal{}, request, clock_.now());
    headers.attach(request);
    context.deadline = std::min(context.deadline, Loop::here().now() + answer_time);
    const auto body = body_of(co_await catalog_.send(context, request));
    auto list =
        body ? read_json<EventsTold>(*body) : Result<EventsTold>(fail(body.error().clone()));
    if (!list) {
        failed_.add();
        co_return fail(std::move(list).error());
    }
    told_.clear();
    for (EventTold& told : list->items) told_.emplace(told.id, told);
    heard_ = true;
    heard_at_ = Loop::here().now();
    co_return Result<void>{};
}

Task<> CatalogClient::run() {
    for (;;) {
        (void)co_await refresh(Context{});
        (void)co_await sleep(Context{}, asked_each);
    }
}

void CatalogClient::append_metrics(MetricsText& out) const {
    out.counter("urr_queue_catalog_failed_total", "Times that catalog was not heard.", failed_);
}

} // namespace urr::queue
