// The scripts behind RedisLines, and the names of its keys: all of one event with one hash tag.
#pragma once
#include <string>
#include <vector>

#include "libs/core/id.hpp"
#include "libs/redis/redis.hpp"

namespace urr::queue {

const Script& line_script();
// Signs of life and joins, many in one call.
const Script& crowd_script();
// KEYS: {queue}:generation, {queue}:outbox. ARGV: a fresh generation, a message's id, now or 0, the
// life of the server: another server may have forgotten, so a generation begins.
// Answers the generation that holds, whether the log was read, and the server's time in µs.
const Script& generation_script();

struct LineKeys {
    explicit LineKeys(const EventId& event);
    std::string tag;
    std::vector<std::string> all() const;
    std::vector<std::string> of_crowds() const;
    std::string outbox() const { return tag + "outbox"; }
    std::string revoked() const { return tag + "revoked"; }
    std::string acts() const { return tag + "acts"; }
};

} // namespace urr::queue
