#include "libs/security/jwt_text.hpp"

namespace urr {

namespace {

struct Cursor {
    std::string_view rest;

    bool take(char c) {
        if (rest.empty() || rest[0] != c) return false;
        rest.remove_prefix(1);
        return true;
    }
    // A quoted text without escapes and control characters.
    std::optional<std::string_view> quoted() {
        if (!take('"')) return std::nullopt;
        for (std::size_t i = 0; i < rest.size(); ++i) {
            const unsigned char c = (unsigned char)rest[i];
            if (c < 0x20 || c == '\\') return std::nullopt;
            if (c != '"') continue;
            const std::string_view text = rest.substr(0, i);
            rest.remove_prefix(i + 1);
            return text;
        }
        return std::nullopt;
    }
    std::optional<std::string_view> bare() {
        std::size_t n = 0;
        while (n < rest.size() &&
               ((rest[n] >= '0' && rest[n] <= '9') || (rest[n] >= 'a' && rest[n] <= 'z')))
            ++n;
        if (n == 0) return std::nullopt;
        const std::string_view text = rest.substr(0, n);
        rest.remove_prefix(n);
        return text;
    }
};

constexpr std::size_t members_max = 24;

} // namespace

std::optional<FlatObject> FlatObject::parse(std::string_view json) {
    FlatObject object;
    Cursor at{json};
    if (!at.take('{')) return std::nullopt;
    do {
        const auto name = at.quoted();
        if (!name || !at.take(':')) return std::nullopt;
        const bool is_string = !at.rest.empty() && at.rest[0] == '"';
        const auto text = is_string ? at.quoted() : at.bare();
        if (!text || object.members_.size() == members_max) return std::nullopt;
        for (const FlatMember& member : object.members_)
            if (member.name == *name) return std::nullopt;
        object.members_.push_back({*name, *text, is_string});
    } while (at.take(','));
    if (!at.take('}') || !at.rest.empty()) return std::nullopt;
    return object;
}

const FlatMember* FlatObject::find(std::string_view name, bool is_string) const {
    for (const FlatMember& member : members_)
        if (member.name == name && member.is_string == is_string) return &member;
    return nullptr;
}

std::optional<std::string_view> FlatObject::string(std::string_view name) const {
    const FlatMember* member = find(name, true);
    if (!member) return std::nullopt;
    return member->text;
}

std::optional<std::uint64_t> FlatObject::number(std::string_view name) const {
    const FlatMember* member = find(name, false);
    if (!member || member->text.size() > 18) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : member->text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + std::uint64_t(c - '0');
    }
    return value;
}

std::optional<bool> FlatObject::boolean(std::string_view name) const {
    const FlatMember* member = find(name, false);
    if (!member || (member->text != "true" && member->text != "false")) return std::nullopt;
    return member->text == "true";
}

} // namespace urr
