#include "libs/redis/command.hpp"

#include <array>
#include <charconv>
#include <openssl/evp.h>

namespace urr {

namespace {

void append_length(std::string& out, char kind, std::size_t length) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
    out += kind;
    out.append(digits, end);
    out += "\r\n";
}

} // namespace

Command& Command::add(std::string_view word) {
    append_length(words_, '$', word.size());
    words_ += word;
    words_ += "\r\n";
    ++count_;
    return *this;
}

void Command::append_to(std::string& out) const {
    append_length(out, '*', count_);
    out += words_;
}

Script::Script(std::string_view source) : source_(source) {
    std::array<unsigned char, 20> digest{};
    EVP_Digest(source.data(), source.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
    for (const unsigned char byte : digest) {
        hash_ += "0123456789abcdef"[byte >> 4];
        hash_ += "0123456789abcdef"[byte & 15];
    }
}

} // namespace urr
