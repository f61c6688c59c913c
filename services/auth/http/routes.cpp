#include "services/auth/http/routes.hpp"

#include "libs/http/path.hpp"
#include "services/auth/domain/email.hpp"
#include "services/auth/http/bodies.hpp"

namespace urr::auth {

namespace {

constexpr std::size_t device_bytes_max = 200;

template <class Body>
Result<Body> read_body(const Request& request) {
    if (!request.header("Content-Type").starts_with(type_json))
        return fail(Code::UNSUPPORTED_MEDIA_TYPE);
    return read_json<Body>(request.body);
}

Result<std::string> email_of(std::string_view text) {
    auto email = normal_email(text);
    if (email) return std::move(*email);
    return std::unexpected<Error>(
        Error(Code::VALIDATION_FAILED, "", {{"email", "is not an e-mail address"}}));
}

Result<AccountId> account_of(std::string_view text) {
    const auto id = AccountId::parse(text);
    if (!id) return fail(Code::NOT_FOUND);
    return *id;
}

Result<> need_user(const Context& context) {
    if (!context.principal.signed_in()) return fail(Code::UNAUTHENTICATED);
    return {};
}

Result<> need_admin(const Context& context) {
    TRY_PLAIN(need_user(context));
    if (context.principal.role != Role::admin) return fail(Code::FORBIDDEN);
    return {};
}

// The gateway states the client's address; without one it is whoever is connected.
Client client_of(const Request& request) {
    Client client;
    client.address = Address::parse(request.header("X-Forwarded-For")).value_or(request.peer);
    client.device = request.header("User-Agent").substr(0, device_bytes_max);
    for (char& c : client.device)
        if (c < ' ' || c > '~') c = '?';
    return client;
}

Response personal(int status, std::string body) {
    Response response = json_response(status, std::move(body));
    response.add("Cache-Control", "no-store");
    return response;
}

Response nothing() {
    Response response;
    response.status = 204;
    return response;
}

} // namespace

void Routes::add_to(Router& router) {
    router.add<&Routes::register_user>(Method::post, "/api/v1/auth/register", *this);
    router.add<&Routes::confirm>(Method::post, "/api/v1/auth/confirm", *this);
    router.add<&Routes::resend>(Method::post, "/api/v1/auth/confirm/resend", *this);
    router.add<&Routes::login>(Method::post, "/api/v1/auth/login", *this);
    router.add<&Routes::refresh>(Method::post, "/api/v1/auth/refresh", *this);
    router.add<&Routes::logout>(Method::post, "/api/v1/auth/logout", *this);
    router.add<&Routes::logout_everywhere>(Method::post, "/api/v1/auth/logout-everywhere", *this);
    router.add<&Routes::me>(Method::get, "/api/v1/auth/me", *this);
    router.add<&Routes::change_me>(Method::patch, "/api/v1/auth/me", *this);
    router.add<&Routes::sessions>(Method::get, "/api/v1/auth/sessions", *this);
    router.add<&Routes::end_session>(Method::del, "/api/v1/auth/sessions/{id}", *this);
    router.add<&Routes::change_password>(Method::post, "/api/v1/auth/password", *this);
    router.add<&Routes::forget_password>(Method::post, "/api/v1/auth/password/forgotten", *this);
    router.add<&Routes::reset_password>(Method::post, "/api/v1/auth/password/reset", *this);
    router.add<&Routes::jwks>(Method::get, "/.well-known/jwks.json", *this);
    router.add<&Routes::find_user>(Method::get, "/api/v1/auth/admin/users", *this);
    router.add<&Routes::set_role>(Method::put, "/api/v1/auth/admin/users/{id}/role", *this);
    router.add<&Routes::internal_user>(Method::get, "/internal/users/{id}", *this);
    router.add<&Routes::internal_batch>(Method::post, "/internal/users/batch", *this);
}

Response Routes::signed_in(const SignedIn& signed_in) const {
    Response response =
        personal(200, to_json(SignedInBody{body_of(signed_in.user), signed_in.access_expires,
                                           signed_in.refresh_expires}));
    set_cookies(response, signed_in, cookies_);
    return response;
}

Routes::Answer Routes::register_user(Context context, Request request) {
    RegisterBody body = TRY(read_body<RegisterBody>(request));
    std::string email = TRY(email_of(body.email));
    const User user = TRY(
        co_await accounts_.register_user(context,
                                         Registration{std::move(email), std::move(body.password),
                                                      std::move(body.name), std::move(body.phone)},
                                         client_of(request)));
    co_return personal(201, to_json(body_of(user)));
}

Routes::Answer Routes::confirm(Context context, Request request) {
    TokenBody body = TRY(read_body<TokenBody>(request));
    const User user = TRY(co_await accounts_.confirm(context, std::move(body.token)));
    co_return personal(200, to_json(body_of(user)));
}

Routes::Answer Routes::resend(Context context, Request) {
    TRY(need_user(context));
    TRY(co_await accounts_.send_confirmation(context));
    co_return nothing();
}

Routes::Answer Routes::login(Context context, Request request) {
    LoginBody body = TRY(read_body<LoginBody>(request));
    std::string email = TRY(email_of(body.email));
    const SignedIn done = TRY(co_await sign_in_.login(
        context, std::move(email), std::move(body.password), client_of(request)));
    co_return signed_in(done);
}

Routes::Answer Routes::refresh(Context context, Request request) {
    const std::string_view token = request.cookie(refresh_cookie);
    auto done = token.empty() ? Result<SignedIn>(fail(Code::REFRESH_TOKEN_INVALID))
                              : co_await sign_in_.refresh(context, std::string(token));
    if (done) co_return signed_in(*done);
    const Code code = done.error().code();
    if (code != Code::REFRESH_TOKEN_INVALID && code != Code::REFRESH_TOKEN_REUSED)
        co_return fail(std::move(done).error());
    // The browser need not bring them again.
    Response response = problem(done.error(), context.trace, request.header("Accept-Language"));
    clear_cookies(response, cookies_);
    co_return response;
}

Routes::Answer Routes::logout(Context context, Request request) {
    const std::string_view token = request.cookie(refresh_cookie);
    if (!token.empty()) TRY(co_await sign_in_.logout(context, std::string(token)));
    Response response = nothing();
    clear_cookies(response, cookies_);
    co_return response;
}

Routes::Answer Routes::logout_everywhere(Context context, Request) {
    TRY(need_user(context));
    TRY(co_await sign_in_.logout_everywhere(context));
    Response response = nothing();
    clear_cookies(response, cookies_);
    co_return response;
}

Routes::Answer Routes::me(Context context, Request) {
    TRY(need_user(context));
    const User user = TRY(co_await accounts_.me(context));
    co_return personal(200, to_json(body_of(user)));
}

Routes::Answer Routes::change_me(Context context, Request request) {
    TRY(need_user(context));
    ProfileBody body = TRY(read_body<ProfileBody>(request));
    const User user = TRY(co_await accounts_.change_me(
        context, ProfileChange{std::move(body.name), std::move(body.phone)}));
    co_return personal(200, to_json(body_of(user)));
}

Routes::Answer Routes::sessions(Context context, Request request) {
    TRY(need_user(context));
    const std::string token(request.cookie(refresh_cookie));
    const auto found = TRY(co_await sign_in_.sessions(context, token));
    SessionsBody body;
    for (const Session& s : found.all)
        body.items.push_back({s.id, s.device, s.id == found.current, s.created, s.used, s.expires});
    co_return personal(200, to_json(body));
}

Routes::Answer Routes::end_session(Context context, Request request) {
    TRY(need_user(context));
    const auto id = SessionId::parse(request.parameters[0]);
    if (!id) co_return fail(Code::NOT_FOUND);
    TRY(co_await sign_in_.end(context, *id));
    co_return nothing();
}

Routes::Answer Routes::change_password(Context context, Request request) {
    TRY(need_user(context));
    ChangePasswordBody body = TRY(read_body<ChangePasswordBody>(request));
    const SignedIn done = TRY(co_await accounts_.change_password(
        context, std::move(body.before), std::move(body.after), client_of(request)));
    co_return signed_in(done);
}

Routes::Answer Routes::forget_password(Context context, Request request) {
    EmailBody body = TRY(read_body<EmailBody>(request));
    std::string email = TRY(email_of(body.email));
    TRY(co_await accounts_.forget_password(context, std::move(email)));
    co_return nothing();
}

Routes::Answer Routes::reset_password(Context context, Request request) {
    ResetBody body = TRY(read_body<ResetBody>(request));
    TRY(co_await accounts_.reset_password(context, std::move(body.token),
                                          std::move(body.password)));
    co_return nothing();
}

Routes::Answer Routes::jwks(Context, Request request) {
    std::string body = keys_.jwks(TokenType::access, clock_.now());
    const Digest digest = sha256(body);
    const std::string tag = "\"" + hex(std::span(digest).first(8)) + "\"";
    Response response;
    if (request.header("If-None-Match") == tag)
        response.status = 304;
    else
        response = json_response(200, std::move(body));
    response.add("ETag", tag).add("Cache-Control", "public, max-age=300");
    co_return response;
}

Routes::Answer Routes::find_user(Context context, Request request) {
    TRY(need_admin(context));
    const auto text = TRY(query_value(request.query, "email"));
    if (!text) co_return fail(Code::BAD_REQUEST, "the parameter email is required");
    std::string email = TRY(email_of(*text));
    UsersBody body;
    auto user = co_await accounts_.user_by_email(context, std::move(email));
    if (!user && user.error().code() != Code::NOT_FOUND) co_return fail(std::move(user).error());
    if (user) body.items.push_back(body_of(*user));
    co_return personal(200, to_json(body));
}

Routes::Answer Routes::set_role(Context context, Request request) {
    TRY(need_admin(context));
    const AccountId id = TRY(account_of(request.parameters[0]));
    const RoleBody body = TRY(read_body<RoleBody>(request));
    const User user = TRY(co_await accounts_.set_role(context, id, role_of(body.role)));
    co_return personal(200, to_json(body_of(user)));
}

Routes::Answer Routes::internal_user(Context context, Request request) {
    const AccountId id = TRY(account_of(request.parameters[0]));
    const User user = TRY(co_await accounts_.user(context, id));
    co_return personal(200, to_json(body_of(user)));
}

Routes::Answer Routes::internal_batch(Context context, Request request) {
    BatchBody asked = TRY(read_body<BatchBody>(request));
    UsersBody body;
    for (const User& user : TRY(co_await accounts_.users(context, std::move(asked.ids))))
        body.items.push_back(body_of(user));
    co_return personal(200, to_json(body));
}

} // namespace urr::auth
