// Whom to connect to, and the first words of a connection. Inside libs/redis.
//
//     PrimaryFinder finder(loop, options, tls);
//     auto address = TRY(co_await finder.find(context));   // the next server, or what sentinels
//     say auto link = TRY(co_await RedisLink::open(loop, address, tls, context)); std::string life
//     = TRY(co_await link->introduce(context, user, password));
//
// UNAVAILABLE says why: not reached, not believed, refused, loading, no primary; and begins with
// the address that it is of. One loop.
#pragma once
#include "libs/redis/redis.hpp"
#include "libs/redis/wire.hpp"

namespace urr {

// A connection on which one asks after the other, until it is handed to the client.
class RedisLink {
public:
    static Task<Result<std::unique_ptr<RedisLink>>> open(RunLoop& loop, RedisAddress address,
                                                         const TlsContext* tls, Context context);
    // RESP3 and who we are; answers the life of the server. UNAVAILABLE when it is no primary.
    Task<Result<std::string>> introduce(Context context, std::string user, std::string password);
    Task<Result<void>> greet(Context context, std::string user, std::string password);
    // UNAVAILABLE with the server's words when it refuses.
    Task<Result<Reply>> ask(Context context, Command command);
    // What has come already, or nothing.
    Result<std::optional<Reply>> next();
    Task<Result<void>> read(Context context) { return wire->read(context, in_); }

    std::unique_ptr<Wire> wire;

private:
    ReplyParser parser_;
    std::string in_;
    std::size_t taken_ = 0; // of in_
};

// "host:port: why"
std::unexpected<Error> failed_at(const RedisAddress& address, const Error& why);

class PrimaryFinder {
public:
    PrimaryFinder(RunLoop& loop, const RedisOptions& options, const TlsContext* tls)
        : loop_(loop), options_(options), tls_(tls) {}
    Task<Result<RedisAddress>> find(Context context);
    // The one that was found last was right: begin with it again.
    void succeeded() { at_ = (at_ + options_.servers.size() - 1) % options_.servers.size(); }

private:
    Task<Result<RedisAddress>> ask(Context context, RedisAddress sentinel);

    RunLoop& loop_;
    const RedisOptions& options_;
    const TlsContext* tls_;
    std::size_t at_ = 0;
};

} // namespace urr
