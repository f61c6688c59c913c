#include "libs/redis/sentinel.hpp"

#include <charconv>

namespace urr {

namespace {

// "name:value" among the lines of INFO.
std::string_view line_of(std::string_view info, std::string_view name) {
    for (std::size_t at = 0; at < info.size();) {
        const std::size_t end = std::min(info.find("\r\n", at), info.size());
        const std::string_view line = info.substr(at, end - at);
        if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
            return line.substr(name.size() + 1);
        at = end + 2;
    }
    return {};
}

} // namespace

Task<Result<std::unique_ptr<RedisLink>>> RedisLink::open(RunLoop& loop, RedisAddress address,
                                                         const TlsContext* tls, Context context) {
    auto link = std::make_unique<RedisLink>();
    link->wire = TRY(co_await Wire::open(loop, std::move(address), tls, context));
    co_return link;
}

Result<std::optional<Reply>> RedisLink::next() {
    std::size_t used = 0;
    auto reply = parser_.next(std::string_view(in_).substr(taken_), used);
    taken_ += used;
    const bool whole = reply && *reply;
    if (!whole) { // what is left is short: the beginning of a reply
        in_.erase(0, taken_);
        taken_ = 0;
    }
    return reply;
}

Task<Result<Reply>> RedisLink::ask(Context context, Command command) {
    std::string bytes;
    command.append_to(bytes);
    wire->write(bytes);
    for (;;) {
        auto reply = TRY(next());
        if (reply && reply->is_error()) co_return fail(Code::UNAVAILABLE, std::move(reply->text));
        if (reply) co_return std::move(*reply);
        TRY(co_await read(context));
    }
}

Task<Result<void>> RedisLink::greet(Context context, std::string user, std::string password) {
    Command hello{"HELLO", "3"};
    if (!password.empty()) hello.add("AUTH").add(user.empty() ? "default" : user).add(password);
    const auto greeted = co_await ask(context, std::move(hello));
    // A server that does not know HELLO quotes it, with the password.
    if (!greeted && greeted.error().text().find("unknown command") != std::string_view::npos)
        co_return fail(Code::UNAVAILABLE, "it does not know HELLO: Redis 7 or later is needed");
    if (!greeted) co_return fail(greeted.error().clone());
    co_return Result<void>{};
}

Task<Result<std::string>> RedisLink::introduce(Context context, std::string user,
                                               std::string password) {
    TRY(co_await greet(context, std::move(user), std::move(password)));
    const Reply replication = TRY(co_await ask(context, Command{"INFO", "replication"}));
    if (line_of(replication.text, "role") != "master")
        co_return fail(Code::UNAVAILABLE, "it is not the primary");
    const Reply server = TRY(co_await ask(context, Command{"INFO", "server"}));
    TRY(co_await ask(context, Command{"PING"})); // LOADING after a restart
    std::string life(line_of(server.text, "run_id"));
    if (life.empty()) co_return fail(Code::UNAVAILABLE, "a server without run_id");
    co_return life;
}

std::unexpected<Error> failed_at(const RedisAddress& address, const Error& why) {
    const std::string_view text = why.text().empty() ? "no answer in time" : why.text();
    return fail(why.code(),
                address.host + ":" + std::to_string(address.port) + ": " + std::string(text));
}

Task<Result<RedisAddress>> PrimaryFinder::find(Context context) {
    const RedisAddress server = options_.servers[at_];
    at_ = (at_ + 1) % options_.servers.size();
    if (options_.primary_name.empty()) co_return server;
    auto primary = co_await ask(context, server);
    if (!primary) co_return failed_at(server, primary.error());
    co_return primary;
}

Task<Result<RedisAddress>> PrimaryFinder::ask(Context context, RedisAddress sentinel) {
    auto link = TRY(co_await RedisLink::open(loop_, std::move(sentinel), tls_, context));
    TRY(co_await link->greet(context, "", options_.sentinel_password));
    const Reply found = TRY(co_await link->ask(
        context, Command{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options_.primary_name}));
    RedisAddress address;
    const auto& items = found.items;
    if (items.size() == 2) {
        const std::string& port = items[1].text;
        address.host = items[0].text;
        const auto [end, error] =
            std::from_chars(port.data(), port.data() + port.size(), address.port);
        if (error == std::errc() && end == port.data() + port.size() && !address.host.empty())
            co_return address;
    }
    co_return fail(Code::UNAVAILABLE, "the sentinel does not know the primary");
}

} // namespace urr
