// auth's routes: parse, use case, render. README.md lists them with their answers.
#pragma once
#include "libs/http/router.hpp"
#include "services/auth/accounts.hpp"
#include "services/auth/http/cookies.hpp"

namespace urr::auth {

class Routes {
public:
    // `keys`: what /.well-known/jwks.json shows; access keys alone.
    Routes(Accounts& accounts, SignIn& sign_in, PublicKeys keys, const Clock& clock,
           CookieRules cookies)
        : accounts_(accounts), sign_in_(sign_in), keys_(std::move(keys)), clock_(clock),
          cookies_(cookies) {}
    void add_to(Router& router);

private:
    using Answer = Task<Result<Response>>;
    Answer register_user(Context context, Request request);
    Answer confirm(Context context, Request request);
    Answer resend(Context context, Request request);
    Answer login(Context context, Request request);
    Answer refresh(Context context, Request request);
    Answer logout(Context context, Request request);
    Answer logout_everywhere(Context context, Request request);
    Answer me(Context context, Request request);
    Answer change_me(Context context, Request request);
    Answer sessions(Context context, Request request);
    Answer end_session(Context context, Request request);
    Answer change_password(Context context, Request request);
    Answer forget_password(Context context, Request request);
    Answer reset_password(Context context, Request request);
    Answer jwks(Context context, Request request);
    Answer find_user(Context context, Request request);
    Answer set_role(Context context, Request request);
    Answer internal_user(Context context, Request request);
    Answer internal_batch(Context context, Request request);

    Response signed_in(const SignedIn& signed_in) const;

    Accounts& accounts_;
    SignIn& sign_in_;
    const PublicKeys keys_;
    const Clock& clock_;
    const CookieRules cookies_;
};

} // namespace urr::auth
