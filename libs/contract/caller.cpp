#include "libs/contract/caller.hpp"

#include <algorithm>
#include <charconv>

#include "libs/security/base64url.hpp"

namespace urr {

namespace {

constexpr std::string_view role_names[] = {"anonymous", "user", "staff", "admin"};

// What is signed: every part with its length, so that no two sets of parts give the same text.
std::string signed_text(std::string_view service, const Request& request, std::string_view user,
                        std::string_view email, std::string_view role, std::string_view verified,
                        std::string_view event, std::string_view token, std::string_view time) {
    const std::string_view parts[] = {service,      method_name(request.method),
                                      request.path, user,
                                      email,        role,
                                      verified,     event,
                                      token,        time};
    constexpr std::size_t length_bytes = 21; // of a part's length and a colon, at most
    std::size_t bytes = 0;
    for (const std::string_view part : parts) bytes += length_bytes + part.size();
    std::string text;
    text.resize_and_overwrite(bytes, [&](char* const begin, std::size_t) {
        char* end = begin;
        for (const std::string_view part : parts) {
            end = std::to_chars(end, end + length_bytes, part.size()).ptr;
            *end++ = ':';
            end = std::copy_n(part.data(), part.size(), end);
        }
        return std::size_t(end - begin);
    });
    return text;
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    if (text.empty() || text.size() > 17) return -1;
    for (const char c : text) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::unexpected<Error> refuse(const char* why) { return fail(Code::ASSERTION_INVALID, why); }

Result<Principal> principal_of(const Request& request) {
    Principal principal;
    const std::string_view role = request.header("X-User-Role");
    const std::string_view user = request.header("X-User-Id");
    if (!user.empty()) {
        const auto account = AccountId::parse(user);
        if (!account) return refuse("bad account");
        principal.account = *account;
        principal.role = role == "admin" ? Role::admin : role == "staff" ? Role::staff : Role::user;
        principal.verified = request.header("X-User-Verified") == "true";
    }
    if (const std::string_view event = request.header("X-Entry-Event"); !event.empty()) {
        const auto parsed = EventId::parse(event);
        const auto token = parse_id(request.header("X-Entry-Jti"));
        if (!parsed || !token) return refuse("bad entry");
        principal.entry_event = *parsed;
        principal.entry_token = *token;
    }
    return principal;
}

} // namespace

std::string_view role_name(Role role) { return role_names[std::size_t(role)]; }

CallerHeaders::CallerHeaders(std::string_view caller, const HmacKey& key,
                             std::string_view target_service, const Principal& principal,
                             const Request& request, Instant now, std::string_view email)
    : caller_(caller), signed_in_(principal.signed_in()),
      entered_(!principal.entry_event.is_zero()) {
    if (signed_in_) {
        user_ = principal.account.text();
        email_ = email;
        role_ = role_name(principal.role);
        verified_ = principal.verified ? "true" : "false";
    }
    if (entered_) {
        entry_event_ = principal.entry_event.text();
        entry_token_ = id_text(principal.entry_token);
    }
    const std::string time = std::to_string(now.us);
    const Digest code = key.code(signed_text(target_service, request, user_, email_, role_,
                                             verified_, entry_event_, entry_token_, time));
    assertion_.reserve(80);
    assertion_.append(time).append(".");
    append_base64url(assertion_, code);
}

bool CallerHeaders::attach(Request& request) const {
    bool ok = request.add_header("X-Urr-Caller", caller_) &&
              request.add_header("X-Urr-Assertion", assertion_);
    if (signed_in_)
        ok = ok && request.add_header("X-User-Id", user_) &&
             (email_.empty() || request.add_header("X-User-Email", email_)) &&
             request.add_header("X-User-Role", role_) &&
             request.add_header("X-User-Verified", verified_);
    if (entered_)
        ok = ok && request.add_header("X-Entry-Event", entry_event_) &&
             request.add_header("X-Entry-Jti", entry_token_);
    return ok;
}

Result<Principal> believed_caller(const CallerKeys& keys, std::string_view service,
                                  const Request& request, Instant now) {
    const auto key = keys.find(request.header("X-Urr-Caller"));
    if (key == keys.end()) return refuse("unknown caller");
    const std::string_view assertion = request.header("X-Urr-Assertion");
    const std::size_t dot = assertion.find('.');
    if (dot == std::string_view::npos) return refuse("no assertion");
    const std::string_view time = assertion.substr(0, dot);
    Digest code;
    if (!read_base64url(assertion.substr(dot + 1), code)) return refuse("malformed assertion");
    const std::string text =
        signed_text(service, request, request.header("X-User-Id"), request.header("X-User-Email"),
                    request.header("X-User-Role"), request.header("X-User-Verified"),
                    request.header("X-Entry-Event"), request.header("X-Entry-Jti"), time);
    if (!key->second.matches(text, code)) return refuse("forged assertion");
    const Instant made{number(time)};
    if (made < now - assertion_life || made > now + assertion_life) return refuse("old assertion");
    return principal_of(request);
}

} // namespace urr
