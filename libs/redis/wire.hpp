// A connection's bytes: TCP, and TLS where a context is given. Inside libs/redis.
//
//     auto wire = TRY(co_await Wire::open(loop, {"127.0.0.1", 6379}, tls, context));
//     wire->write("*1\r\n$4\r\nPING\r\n");     // goes out by itself, in order
//     TRY(co_await wire->read(context, in));   // appends what has come; waits for some
//
// Errors: UNAVAILABLE (not reached, closed, not believed), DEADLINE_EXCEEDED. One loop. One reader.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "libs/async/context.hpp"
#include "libs/async/loop.hpp"
#include "libs/async/task.hpp"
#include "libs/core/result.hpp"
#include "libs/redis/redis.hpp"
#include "libs/redis/tls.hpp"

namespace urr {

class Wire {
public:
    // `tls`: nullptr for none; it must outlive the wire.
    static Task<Result<std::unique_ptr<Wire>>> open(RunLoop& loop, RedisAddress address,
                                                    const TlsContext* tls, Context context);
    ~Wire();
    void write(std::string_view bytes);
    Task<Result<void>> read(Context context, std::string& in);
    // Ends a read that waits.
    void close();

private:
    struct State;
    explicit Wire(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

} // namespace urr
