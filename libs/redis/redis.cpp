#include "libs/redis/redis.hpp"

#include <charconv>

namespace urr {

namespace {

// The server's own word for why it did not do it.
Result<Reply> checked(Result<Reply> reply) {
    if (!reply || !reply->is_error()) return reply;
    for (const std::string_view away : {"LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN",
                                        "TRYAGAIN", "BUSY", "NOREPLICAS", "MISCONF"})
        if (reply->is_error(away))
            return fail(Error(Code::UNAVAILABLE, reply->text).retry_after(1));
    if (reply->is_error("OOM")) return fail(Error(Code::OVERLOADED, reply->text).retry_after(1));
    return fail(Code::BAD_GATEWAY, std::move(reply->text));
}

Command call_of(const Script& script, const std::vector<std::string>& keys,
                const std::vector<std::string>& arguments) {
    Command call{"EVALSHA", script.hash()};
    call.add(keys.size());
    for (const std::string& key : keys) call.add(key);
    for (const std::string& argument : arguments) call.add(argument);
    return call;
}

Result<RedisAddress> parse_address(std::string_view text) {
    const auto wrong = [] { return fail(Code::VALIDATION_FAILED, "not HOST:PORT"); };
    RedisAddress address;
    std::string_view port;
    if (text.starts_with('[')) { // an IPv6 address
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return wrong();
        address.host = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
        if (!text.empty() && !text.starts_with(':')) return wrong();
        port = text.empty() ? text : text.substr(1);
    } else {
        const std::size_t colon = text.find(':');
        address.host = text.substr(0, colon);
        if (colon != std::string_view::npos) port = text.substr(colon + 1);
        if (colon != std::string_view::npos && port.empty()) return wrong();
    }
    if (address.host.empty()) return wrong();
    if (port.empty()) return address;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size() || address.port == 0)
        return wrong();
    return address;
}

Result<> parse_one(std::string_view url, RedisOptions& options) {
    const auto wrong = [](const char* what) { return fail(Code::VALIDATION_FAILED, what); };
    const bool tls = url.starts_with("rediss://");
    if (!tls && !url.starts_with("redis://")) return wrong("not redis:// or rediss://");
    if (!options.servers.empty() && tls != options.tls) return wrong("some with TLS, some without");
    options.tls = tls;
    url.remove_prefix(tls ? 9 : 8);
    if (url.ends_with('/')) url.remove_suffix(1);
    if (url.find('/') != std::string_view::npos) return wrong("databases are not selected");
    if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
        const std::string_view who = url.substr(0, at);
        const std::size_t colon = who.find(':');
        options.user = who.substr(0, colon);
        if (colon != std::string_view::npos) options.password = who.substr(colon + 1);
        url.remove_prefix(at + 1);
    }
    options.servers.push_back(TRY_PLAIN(parse_address(url)));
    return {};
}

} // namespace

Result<RedisOptions> parse_redis_urls(std::string_view urls) {
    RedisOptions options;
    while (!urls.empty()) {
        const std::size_t comma = urls.find(',');
        std::string_view one = urls.substr(0, comma);
        urls.remove_prefix(comma == std::string_view::npos ? urls.size() : comma + 1);
        while (one.starts_with(' ')) one.remove_prefix(1);
        if (!one.empty()) TRY_PLAIN(parse_one(one, options));
    }
    if (options.servers.empty()) return fail(Code::VALIDATION_FAILED, "no server is named");
    return options;
}

Task<Result<Reply>> Redis::command(Context context, Command command) {
    co_return checked(co_await exchange(context, command));
}

Task<Result<Reply>> Redis::run(Context context, const Script& script, std::vector<std::string> keys,
                               std::vector<std::string> arguments) {
    const Command call = call_of(script, keys, arguments);
    auto reply = co_await exchange(context, call);
    if (reply && reply->is_error("NOSCRIPT")) { // a server that started anew
        figures_.loaded.add();
        const Command load{"SCRIPT", "LOAD", script.source()};
        TRY(checked(co_await exchange(context, load)));
        reply = co_await exchange(context, call);
    }
    co_return checked(std::move(reply));
}

void RedisFigures::write(MetricsText& out, const std::string& prefix) const {
    out.counter(prefix + "_commands_total", "Commands sent to Redis.", commands);
    out.counter(prefix + "_writes_total", "Writes they went out in.", writes);
    out.counter(prefix + "_connects_total", "Connections made to Redis.", connects);
    out.counter(prefix + "_lost_total", "Connections to Redis that broke.", lost);
    out.counter(prefix + "_failed_connects_total", "Attempts to connect that failed.",
                failed_connects);
    out.counter(prefix + "_overloaded_total", "Commands refused: too much was queued.", overloaded);
    out.counter(prefix + "_timed_out_total", "Commands without an answer in time.", timed_out);
    out.counter(prefix + "_scripts_loaded_total", "Scripts a server did not know.", loaded);
}

} // namespace urr
