// The use cases around an account: register, confirm, profile, password, roles.
#pragma once
#include <functional>

#include "services/auth/sign_in.hpp"

namespace urr::auth {

struct Registration {
    std::string email, password, name; // the address in its one spelling
    std::optional<std::string> phone;
};

// An account that an operator makes, its address taken as confirmed: the first admin, demo people.
// PASSWORD_TOO_WEAK, EMAIL_TAKEN, VALIDATION_FAILED. Needs the store alone: `urr admin create`.
Task<Result<User>> create_user(Context context, Database& database, Passwords& passwords,
                               const Clock& clock, Random& random, Registration registration,
                               Role role);

class Accounts {
public:
    // `mails_due` is called after each commit that left a mail to be written.
    Accounts(Parts parts, SignIn& sign_in, std::function<void()> mails_due)
        : parts_(parts), sign_in_(sign_in), mails_due_(std::move(mails_due)) {}

    // EMAIL_TAKEN, PASSWORD_TOO_WEAK, RATE_LIMITED, OVERLOADED. A mail with a token follows.
    Task<Result<User>> register_user(Context context, Registration registration, Client client);
    // CONFIRMATION_INVALID.
    Task<Result<User>> confirm(Context context, std::string token);
    // CONFLICT when the address is confirmed already; RATE_LIMITED per mailbox.
    Task<Result<void>> send_confirmation(Context context);

    // UNAUTHENTICATED when the account is gone.
    Task<Result<User>> me(Context context);
    Task<Result<User>> change_me(Context context, ProfileChange change);

    // Ends every session and starts one for the caller. VALIDATION_FAILED when `before` is not the
    // password, CONFLICT when another change came first.
    Task<Result<SignedIn>> change_password(Context context, std::string before, std::string after,
                                           Client client);
    // Answers the same, after the same writes, whether or not the address is somebody's.
    Task<Result<void>> forget_password(Context context, std::string email);
    // Whoever reads the mail owns the address: it counts as confirmed, and every session ends.
    // CONFIRMATION_INVALID, PASSWORD_TOO_WEAK.
    Task<Result<void>> reset_password(Context context, std::string token, std::string password);

    // For other services and admins. NOT_FOUND.
    Task<Result<User>> user(Context context, AccountId id);
    Task<Result<std::vector<User>>> users(Context context, std::vector<AccountId> ids);
    Task<Result<User>> user_by_email(Context context, std::string email);
    // Ends the sessions of that account, so that the new role counts at once. CONFLICT for one's
    // own account.
    Task<Result<User>> set_role(Context context, AccountId id, Role role);

private:
    NewMailedToken mailed_token(AccountId account, Purpose purpose);

    Parts parts_;
    SignIn& sign_in_;
    std::function<void()> mails_due_;
};

} // namespace urr::auth
