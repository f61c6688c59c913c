// The use cases around a sign-in: login, refresh, logout, sessions.
#pragma once
#include "services/auth/parts.hpp"

namespace urr::auth {

struct SignedIn {
    User user;
    std::string access_token, refresh_token;
    Instant access_expires, refresh_expires;
};

class SignIn {
public:
    explicit SignIn(Parts parts) : parts_(parts) {}

    // LOGIN_FAILED for an unknown address and for a wrong password alike, after the same work.
    // RATE_LIMITED; OVERLOADED when the password pool is full (neither counts as a try).
    Task<Result<SignedIn>> login(Context context, std::string email, std::string password,
                                 Client client);
    // One use of a refresh token (domain/refresh.hpp). REFRESH_TOKEN_INVALID; REFRESH_TOKEN_REUSED,
    // and the whole family has ended then.
    Task<Result<SignedIn>> refresh(Context context, std::string token);
    // Ends the session of that token, if there is one. From the answer of this and of all that
    // ends sessions on, access tokens of theirs are refused.
    Task<Result<void>> logout(Context context, std::string token);
    Task<Result<void>> logout_everywhere(Context context);

    struct Sessions {
        std::vector<Session> all;
        SessionId current; // of that refresh token; zero: none of them
    };
    Task<Result<Sessions>> sessions(Context context, std::string token);
    // NOT_FOUND.
    Task<Result<void>> end(Context context, SessionId session);

    // A session that is about to be started, with its first token; for use cases that start one in
    // a transaction of their own.
    struct Fresh {
        NewSession session;
        std::string token;
        Instant began;
    };
    Fresh fresh_session(AccountId account, const Client& client);
    // `began`: before the transaction, so that whoever ends the session after it knows how long
    // this access token can live.
    SignedIn signed_in(User user, SessionId session, Instant began, std::string refresh_token,
                       Instant refresh_expires);
    SignedIn signed_in(User user, Fresh fresh);

private:
    Task<Result<Credentials>> check(Context context, std::string email, std::string password,
                                    Try attempt);

    Parts parts_;
};

} // namespace urr::auth
