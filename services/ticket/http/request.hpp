// What ticket's routes ask of every request.
#pragma once
#include "libs/http/message.hpp"
#include "libs/security/mac.hpp"
#include "libs/sql/idempotency.hpp"

namespace urr::ticket {

template <class IdType>
Result<IdType> id_of(std::string_view text) {
    const auto id = IdType::parse(text);
    if (!id) return fail(Code::NOT_FOUND);
    return *id;
}

inline Result<IdempotencyKey> key_of(const Context& context, const Request& request,
                                     const char* route) {
    const std::string_view header = request.header("Idempotency-Key");
    TRY_PLAIN(check_idempotency_key(header));
    // The path names what it is done to: the same body there is another request elsewhere.
    return IdempotencyKey{context.principal.account, route, std::string(header),
                          sha256(std::string(request.path).append("\n").append(request.body))};
}

inline Result<> need_json(const Request& request) {
    if (!request.header("Content-Type").starts_with(type_json))
        return fail(Code::UNSUPPORTED_MEDIA_TYPE);
    return {};
}

inline Result<> need_user(const Context& context) {
    if (!context.principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    return {};
}

inline Result<> need_admin(const Context& context) {
    TRY_PLAIN(need_user(context));
    if (context.principal.role != Role::admin) return fail(Code::FORBIDDEN);
    return {};
}

} // namespace urr::ticket
