// A command as it goes over the wire, and a script that is known to the server by its hash.
//
//     co_await redis.command(context, Command{"SET", key, value, "PX", "45000"});
//     static const Script admit(source);              // hashed once
//     co_await redis.run(context, admit, {queue_key, active_key}, {"500", now});
//
// Values. Words may hold any bytes.
#pragma once
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace urr {

class Command {
public:
    Command() = default;
    Command(std::initializer_list<std::string_view> words) {
        for (const std::string_view word : words) add(word);
    }
    Command& add(std::string_view word);
    template <std::integral Number>
    Command& add(Number number) {
        return add(std::string_view(std::to_string(number)));
    }
    std::size_t bytes() const { return words_.size() + head_bytes_max; }
    void append_to(std::string& out) const;

private:
    static constexpr std::size_t head_bytes_max = 24;
    std::string words_;
    std::size_t count_ = 0;
};

class Script {
public:
    explicit Script(std::string_view source);
    std::string_view source() const { return source_; }
    // SHA-1 in hexadecimal digits, as EVALSHA wants it.
    std::string_view hash() const { return hash_; }

private:
    std::string source_, hash_;
};

} // namespace urr
